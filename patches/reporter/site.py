"""
The HTTP site of the reporter: it bounds connections, header fields and bodies, which it keeps on the disk.

A request that is not taken is refused after the end of its body. A client whose connection is closed while it still
writes does not read the response, and would send the same report again.
"""

from __future__ import annotations

import tempfile
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

from patches.http.bounded_channel import BoundedChannel
from patches.http.bounded_request import BoundedRequest
from patches.http.bounded_site import BoundedSite
from patches.reporter.spool import NO_ROOM, Body, Refusal, ReportRate, Spool, address_of
from patches.service.budget import CONNECTIONS, Budget
from patches.service.log.trouble_log import TroubleLog

#: The connection is closed if a body is longer than this many times the limit.
_PATIENCE = 8
#: A body that is longer is on the disk.
_IN_MEMORY_BYTES = 4 * 1024
#: The seconds that a connection may be silent, and those within which a body must be whole.
_IDLE_SECONDS, _BODY_SECONDS = 60, 900.0


class ReportRequest(BoundedRequest):
    """A request whose body is on the disk; a body that is not taken is discarded."""

    _site: ReporterSite
    _body: Body | None = None
    _refusal: Refusal | None = None

    def gotLength(self, length: int | None) -> None:
        """Create the file of the body; a short one is in memory."""
        self._site = self.channel.site
        self.content = BytesIO() if length == 0 else _spooled(self._site.spool_folder)

    def handleContentChunk(self, data: bytes) -> None:
        """Store or discard a part of the body; close the connection if the body is far too long."""
        if self._refusal is None and not self._refused:
            self._refusal = self._admit(len(data))
        if self._refusal is None:
            try:
                super().handleContentChunk(data)
            except OSError as error:
                self._site.spooling.begin(str(error.strerror))
                self._refusal = NO_ROOM
        else:
            self._body_bytes += len(data)
        if self._refusal is not None or self._refused:
            self._release()
        if self._body_bytes > _PATIENCE * self.max_body:
            self.channel.transport.abortConnection()

    def _admit(self, size: int) -> Refusal | None:
        """Return the reason why a part of the body is not taken; ``None``: it is taken."""
        spool, now = self._site.spool, self._site.reactor.seconds()
        if self._body is None:
            refused = self._site.rate.take(address_of(self), now)
            admitted = refused or spool.begin(self.channel.transport.abortConnection, now)
            if isinstance(admitted, Refusal):
                return admitted
            self._body = admitted
            self.notifyFinish().addBoth(lambda _: self._release())
        return None if self._body_bytes + size > self.max_body else spool.add(self._body, size)

    def _release(self) -> None:
        """Release the body, which is not received any longer."""
        if self._body is not None:
            self._site.spool.end(self._body)
        if self._refusal is not None or self._refused:
            content: Any = self.content
            self.content = BytesIO()
            with suppress(OSError):  # on a full disk: closing writes what is left, and has closed nevertheless
                content.close()

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """Handle the request, or refuse it now that its body has been read."""
        if self._body is not None:
            self._body.is_whole = True
            if self._refusal is None:
                self._site.spooling.end()
        refusal = self._refusal
        if refusal is not None:
            later = (b"Retry-After", b"%d" % refusal.retry_after)
            self.channel.refuse(refusal.status, refusal.code, refusal.message, later)
        elif self._refused:
            super()._refuse()
        else:
            super().requestReceived(command, path, version)

    def _refuse(self) -> None:
        """Continue to read the body; the request is refused at its end."""


class ReportChannel(BoundedChannel):
    """A connection; a body in progress does not make room for other connections: the spool decides about it."""

    site: ReporterSite

    @property
    def gives_way(self) -> bool:
        """Whether it may be ended for another connection."""
        return super().gives_way and not (self.requests and self.requests[-1]._body is not None)


class ReporterSite(BoundedSite):
    """
    The HTTP site that accepts reports.

    :param per_minute: the reports of one address that are taken in a minute.
    :ivar max_body: the largest body, in bytes.
    :ivar spool_folder: the folder of the bodies in progress; ``None``: that of the system.
    :ivar spool: the bodies in progress.
    """

    protocol: Any = ReportChannel
    kept_fields = frozenset((b"content-encoding",))

    def __init__(
        self,
        resource: Any,
        budget: Budget,
        reactor: Any,
        max_body: int,
        spool_folder: Path | None = None,
        per_minute: int = 6000,
    ) -> None:
        super().__init__(resource, budget, reactor, _IDLE_SECONDS, _BODY_SECONDS, ReportRequest)
        self.max_body = max_body
        self.spool_folder = spool_folder
        self.spool = Spool(lambda: CONNECTIONS not in budget.closed)
        self.rate = ReportRate(per_minute)
        self.spooling = TroubleLog("The body of a report cannot be stored", "Bodies of reports can be stored again")


def _spooled(folder: Path | None) -> Any:
    return tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES, dir=str(folder) if folder is not None else None)
