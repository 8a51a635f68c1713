"""
The HTTP site of the reporter: it bounds connections, header fields and bodies, which it keeps on the disk.

A request that is not taken is refused after the end of its body. A client whose connection is closed while it still
writes does not read the response, and would send the same report again.
"""

from __future__ import annotations

import tempfile
from io import BytesIO
from pathlib import Path
from typing import Any

from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel
from twisted.web.server import Site

from patches.http.bounded_request import BoundedRequest, closing_answer
from patches.reporter.spool import NO_ROOM, Body, Refusal, ReportRate, Spool, address_of

log = Logger()

#: The connection is closed if a body is longer than this many times the limit.
_PATIENCE = 8
#: A body that is longer is on the disk.
_IN_MEMORY_BYTES = 4 * 1024
#: The most bytes and fields of the head of a request.
MAX_HEAD_BYTES = 4 * 1024
MOST_FIELDS = 40
#: The most connections, and the seconds after which one that has not sent a whole request makes room for another.
MOST_CONNECTIONS = 4096
_IDLE_SECONDS = 5.0


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
                log.warn("A report cannot be stored: {why}", why=error.strerror)
                self._refusal = NO_ROOM
        else:
            self._body_bytes += len(data)
        if self._refusal is not None or self._refused:
            self._release()
        if self._body_bytes > _PATIENCE * self.max_body:
            self.channel.abortConnection()

    def _admit(self, size: int) -> Refusal | None:
        """Return the reason why a part of the body is not taken; ``None``: it is taken."""
        spool, now = self._site.spool, self._site.reactor.seconds()
        if self._body is None:
            refused = self._site.rate.take(address_of(self), now)
            admitted = refused or spool.begin(self.channel.abortConnection, now)
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
            content.close()

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """Handle the request, or refuse it now that its body has been read."""
        if self._body is not None:
            self._body.is_whole = True
        refusal = self._refusal
        if refusal is not None:
            later = (b"Retry-After", b"%d" % refusal.retry_after)
            self.channel.transport.write(closing_answer(refusal.status, refusal.code, refusal.message, later))
            self.channel.loseConnection()
        elif self._refused:
            super()._refuse()
        else:
            # Twisted would parse the fields of a form, which nobody reads, whatever their number is.
            self.requestHeaders.removeHeader(b"Content-Type")
            super().requestReceived(command, path, version)

    def _refuse(self) -> None:
        """Continue to read the body; the request is refused at its end."""


class ReportChannel(HTTPChannel):
    """
    A connection: its heads are bounded, and errors of the parser are JSON like others.

    :ivar since: when it was opened, or has sent its last whole request.
    """

    site: ReporterSite
    transport: Any
    maxHeaders = MOST_FIELDS
    totalHeadersSize = MAX_HEAD_BYTES
    MAX_LENGTH = MAX_HEAD_BYTES
    since = 0.0

    def connectionMade(self) -> None:
        """Refuse the connection if there are too many, and none of them can be closed for it."""
        super().connectionMade()
        if not self.site.admit(self):
            later = (b"Retry-After", b"5")
            self.transport.write(closing_answer(b"503 Service Unavailable", "busy", "too many connections", later))
            self.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Forget the connection."""
        self.site.forget(self)
        super().connectionLost(reason)

    def allContentReceived(self) -> None:
        """Handle a whole request."""
        self.site.renew(self)
        super().allContentReceived()

    @property
    def is_waiting(self) -> bool:
        """Whether there is neither a body in progress nor a request that is being answered."""
        return not self._handlingRequest and not (self.requests and self.requests[-1]._body is not None)

    def abortConnection(self) -> None:
        """Close the connection at once."""
        self.transport.abortConnection()

    def lineLengthExceeded(self, line: bytes) -> None:
        """Refuse a line that is longer than a whole head may be."""
        self._receivedHeaderSize = MAX_HEAD_BYTES + 1
        self._respondToBadRequestAndDisconnect()

    def _respondToBadRequestAndDisconnect(self) -> None:
        """Answer a request that cannot be parsed."""
        is_large = self._receivedHeaderSize > MAX_HEAD_BYTES or self._receivedHeaderCount > MOST_FIELDS
        if is_large:
            message = f"more than {MAX_HEAD_BYTES} bytes or {MOST_FIELDS} header fields"
            answer = closing_answer(b"431 Request Header Fields Too Large", "too-large", message)
        else:
            answer = closing_answer(b"400 Bad Request", "malformed", "this is not HTTP/1.1")
        self.transport.write(answer)
        self.loseConnection()


class ReporterSite(Site):
    """
    The HTTP site that accepts reports.

    :param per_minute: the reports of one address that are taken in a minute.
    :ivar max_body: the largest body, in bytes.
    :ivar spool_folder: the folder of the bodies in progress; ``None``: that of the system.
    :ivar spool: the bodies in progress.
    """

    protocol: Any = ReportChannel

    def __init__(
        self, resource: Any, reactor: Any, max_body: int, spool_folder: Path | None = None, per_minute: int = 6000
    ) -> None:
        super().__init__(resource, requestFactory=ReportRequest, timeout=60, reactor=reactor)
        self.max_body = max_body
        self.spool_folder = spool_folder
        self.spool = Spool()
        self.rate = ReportRate(per_minute)
        self._connections: dict[ReportChannel, None] = {}

    @property
    def accepting(self) -> bool:
        """Whether new reports are accepted; otherwise they are answered with 503."""
        return self.spool.accepting

    @accepting.setter
    def accepting(self, accepting: bool) -> None:
        self.spool.accepting = accepting

    def shed(self) -> bool:
        """Close the youngest request that is half read. Return whether there was one."""
        return self.spool.shed()

    def admit(self, channel: ReportChannel) -> bool:
        """Admit a connection, maybe in the place of one that has long sent no whole request."""
        now = self.reactor.seconds()
        if len(self._connections) >= MOST_CONNECTIONS:
            # The first one is the one that has sent no whole request for the longest time.
            first = next((each for each in self._connections if each.is_waiting), None)
            if first is None or now - first.since < _IDLE_SECONDS:
                return False
            self.forget(first)
            first.abortConnection()
        channel.since = now
        self._connections[channel] = None
        return True

    def renew(self, channel: ReportChannel) -> None:
        """Note that a connection has sent a whole request."""
        if channel in self._connections:
            del self._connections[channel]
            channel.since = self.reactor.seconds()
            self._connections[channel] = None

    def forget(self, channel: ReportChannel) -> None:
        """Forget a connection that is closed."""
        self._connections.pop(channel, None)

    def log(self, request: Any) -> None:
        """Do not write an access log: each report has its own line in the log."""


def _spooled(folder: Path | None) -> Any:
    return tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES, dir=str(folder) if folder is not None else None)
