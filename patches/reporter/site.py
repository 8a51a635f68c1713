"""The HTTP site of the reporter: it limits the size of bodies, and its response to a body that is too long arrives."""

from __future__ import annotations

from typing import Any

from patches.http.bounded_request import BoundedRequest
from patches.http.bounded_site import BoundedSite
from patches.service.budget import Budget

#: The connection is closed if a body is longer than this many times the limit.
_PATIENCE = 8


class ReportRequest(BoundedRequest):
    """
    A request that discards a body that is too long, and is refused after its end.

    A client whose connection is closed while it still writes does not read the response, and would send the same
    report again.
    """

    def handleContentChunk(self, data: bytes) -> None:
        """Store or discard a part of the body; close the connection if the body is far too long."""
        super().handleContentChunk(data)
        if self._body_bytes > _PATIENCE * self.max_body:
            self.channel.transport.abortConnection()

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """Handle the request, or refuse it now that its body has been read."""
        if self._refused:
            super()._refuse()
        else:
            super().requestReceived(command, path, version)

    def _refuse(self) -> None:
        """Continue to read the body; the request is refused at its end."""


class ReporterSite(BoundedSite):
    """
    The HTTP site that accepts reports.

    :ivar max_body: the largest body, in bytes.
    """

    def __init__(self, resource: Any, reactor: Any, max_body: int) -> None:
        budget = Budget(256 * 1024 * 1024)
        super().__init__(resource, budget, reactor, 60, request_seconds=120, requestFactory=ReportRequest)
        self.max_body = max_body

    def log(self, request: Any) -> None:
        """Do not write an access log: each report has its own line in the log."""
