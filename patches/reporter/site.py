"""The site that takes reports: bodies of a bounded size, and an answer that arrives for those that are too long."""

from __future__ import annotations

from typing import Any

from twisted.web.server import Site

from patches.http.bounded_request import BoundedRequest

#: A body that is this many times too long is not read to its end.
_PATIENCE = 8


class ReportRequest(BoundedRequest):
    """
    A request whose body is dropped from where it is too long, and refused at its end.

    Whoever is hung up on while still writing does not see the answer, and would send the same again.
    """

    def handleContentChunk(self, data: bytes) -> None:
        """Take or drop a piece of the body."""
        super().handleContentChunk(data)
        if self._body_bytes > _PATIENCE * self.max_body:
            self.channel.transport.abortConnection()

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """Handle the request, or refuse it now that it has been read."""
        if self._refused:
            super()._refuse()
        else:
            super().requestReceived(command, path, version)

    def _refuse(self) -> None:
        """Read on."""


class ReporterSite(Site):
    """
    Takes reports.

    :ivar max_body: how many bytes a body may have.
    """

    def __init__(self, resource: Any, reactor: Any, max_body: int) -> None:
        super().__init__(resource, requestFactory=ReportRequest, timeout=60, reactor=reactor)
        self.max_body = max_body

    def log(self, request: Any) -> None:
        """Write no access log: each report has its own line."""
