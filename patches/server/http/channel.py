"""
The HTTP channel of the server: bounded, whatever its client does.

Theory of operation. A client that does not read must not make the server keep more than one response for it. The next
request of a connection is therefore not parsed before the kernel has taken the last response: ``transport.bufferSize``
is small, so the transport calls :meth:`BackpressureChannel.pauseProducing` at any write of some size, and
:meth:`BackpressureChannel.resumeProducing` once everything is written. A client that stalls is disconnected.

A plain request for a chunk that is in the window is answered by :mod:`~patches.server.http.fast_path`, before Twisted's
parser sees it, with the bytes that all sessions share; :mod:`~patches.server.http.chunk_transport` sends them. Every
other request takes the parser and :mod:`~patches.server.http.api`, which gives the same response.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from socket import SO_SNDBUF, SOL_SOCKET
from typing import Any

from twisted.internet.interfaces import IAddress, IReactorTime, ISystemHandle
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import deferLater
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel
from twisted.web.server import Request, Site
from zope.interface import implementer

from patches.http.bounded_request import closing_answer
from patches.server.budget import CONNECTION_BYTES, CONNECTIONS, Budget
from patches.server.http.chunk_transport import IChunkTransport, can_send_now, send_now
from patches.server.http.fast_path import match
from patches.server.sessions.chunk_response import ChunkResponse

#: How many bytes the kernel may keep for one connection; a chunk fits.
SEND_BUFFER_BYTES = 64 * 1024

#: The read size of the transport, and the bytes that it buffers before it pauses its producer.
SMALL_BUFFER_BYTES = 4 * 1024

#: A header field: a token, directly followed by the colon, and a value without NUL, CR and LF (RFC 9110 section 5).
_FIELD = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\x00\r\n]*")


@implementer(IChunkTransport)
class BackpressureChannel(HTTPChannel):
    """An HTTP/1.1 connection that handles a request only when the kernel has taken the response to the last one."""

    site: ServerSite
    transport: Any
    abortTimeout = 5
    _flushed = True
    _told_parser = False
    _parser_was_used = False
    _sends_now = False
    _answered: Request | None = None
    _when_flushed: Callable[[], None] | None = None
    _early = b""

    def connectionMade(self) -> None:
        """Bound the buffers of the transport and of the kernel."""
        super().connectionMade()
        transport = self.transport
        self._sends_now = can_send_now(transport)
        while (below := getattr(transport, "transport", None)) is not None:
            transport = below  # of an endpoint that wraps another one, such as haproxy:tcp:8080
        transport.bufferSize = SMALL_BUFFER_BYTES
        if ISystemHandle.providedBy(transport):
            socket: Any = transport.getHandle()
            socket.setsockopt(SOL_SOCKET, SO_SNDBUF, SEND_BUFFER_BYTES)
        self.site.channels.add(self)

    def dataReceived(self, data: bytes) -> None:
        """Answer a plain request for a chunk; pass everything else to the parser; read on only when all is written."""
        if not self._flushed:
            self._early += data
            self.transport.pauseProducing()
        # A request that is being answered comes first: the parser keeps what follows it.
        elif self.requests or not self._answer(data):
            self._parser_was_used = True
            super().dataReceived(data)

    def lineReceived(self, line: bytes) -> None:
        """Parse a line of the head; a field that is continued in a further line (RFC 9112 section 5.2) is refused."""
        if line[:1] in (b" ", b"\t") and self.persistent:
            self._refuse()
        else:
            super().lineReceived(line)

    def lineLengthExceeded(self, line: bytes) -> None:
        """Refuse a line that is too long."""
        message = "a line of the request's head is too long"
        self.transport.write(closing_answer(b"431 Request Header Fields Too Large", "head-too-large", message))
        self.loseConnection()

    def headerReceived(self, line: bytes) -> bool:
        """
        Parse a header field, or refuse the request: others may read the field differently, and find its body elsewhere.

        Twisted refuses most of these too, but not in every version.
        """
        name, _, value = line.partition(b":")
        odd_coding = name.lower() == b"transfer-encoding" and value.strip(b" \t").lower() != b"chunked"
        if _FIELD.fullmatch(line) is not None and not odd_coding:
            return bool(super().headerReceived(line))
        self._refuse()
        return False

    def _refuse(self, message: str = "a header field is malformed") -> None:
        self.transport.write(closing_answer(b"400 Bad Request", "malformed", message))
        self.loseConnection()

    def _respondToBadRequestAndDisconnect(self) -> None:
        """Answer what Twisted's parser refuses like every other error."""
        self._refuse("the request is malformed")

    def _answer(self, data: bytes) -> bool:
        asked = match(data) if self.site.fast_path else None
        if asked is None or (self._parser_was_used and self._has_half_a_request()):
            return False
        loaded = self.site.read_cached(*asked)
        if loaded is None:
            return False
        self.resetTimeout()
        self.write_chunk(loaded)
        return True

    def _has_half_a_request(self) -> bool:
        # The parser has no way to ask for its buffer: it is taken out and put back.
        begun = self.clearLineBuffer()
        if begun:
            self.setLineMode(begun)
        self._parser_was_used = bool(begun)
        return bool(begun)

    def write_chunk(self, chunk: ChunkResponse) -> None:
        """Write the whole response of a chunk, in the bytes that all sessions share."""
        chunk.set_date(self.site.seconds())
        # Pinned first: an earlier response may have the same chunk, and when_flushed unpins that. Registered before the
        # write: the transport may take everything, or lose the connection, within it.
        chunk.pin()
        self.when_flushed(chunk.unpin)
        if not (self._sends_now and self.site.fast_path and send_now(self.transport, chunk.answer)):
            self.transport.write(chunk.answer)
        if self._flushed:
            self._out()

    def when_flushed(self, call: Callable[[], None]) -> None:
        """Call once the kernel has taken what is written now, or the connection is lost."""
        self._out()  # for an earlier write: the transport reports only when all writes are flushed
        self._when_flushed = call

    def _out(self) -> None:
        if self._when_flushed is not None:
            call = self._when_flushed
            self._when_flushed = None
            call()

    @property
    def idle(self) -> bool:
        """Whether no request is being answered."""
        return self._flushed and not self.requests and self._answered is None

    # Called by the transport

    def pauseProducing(self) -> None:
        """Note that a response is not yet written."""
        self._flushed = False
        if self.requests:  # not of a response of the fast path, of which the parser does not know
            self._told_parser = True
            super().pauseProducing()

    def resumeProducing(self) -> None:
        """Continue: the kernel has taken everything."""
        self._flushed = True
        self._out()
        if self._told_parser:
            self._told_parser = False
            super().resumeProducing()
        if self._answered is not None:
            self._answered, answered = None, self._answered
            super().requestDone(answered)
        # The parser may have answered the next request meanwhile: then no more is read before that response is written.
        if self._early and self._flushed and self.persistent:
            self._early, early = b"", self._early
            self.transport.resumeProducing()
            self.dataReceived(early)

    def requestDone(self, request: Request) -> None:
        """Start the next request of a pipeline only when this response is written; wait a bounded time for that."""
        if self._flushed:
            self._out()
            super().requestDone(request)
        else:
            self._answered = request
            self.setTimeout(self._savedTimeOut)  # timeOut itself is None while a request is handled

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Release what this connection was granted."""
        self._out()
        self.site.gone(self)
        super().connectionLost(reason)


class RefusingProtocol(Protocol):
    """Sends 503 to a client for whose connection there is no memory, and closes the connection."""

    transport: Any

    def connectionMade(self) -> None:
        """Write the response without reading the request."""
        message = "the memory limit allows no further connection"
        response = closing_answer(b"503 Service Unavailable", "memory-limit", message, (b"Retry-After", b"10"))
        self.transport.write(response)
        self.transport.loseConnection()


class ServerSite(Site):
    """
    Creates channels while the budget has room for them.

    :param read_cached: returns the chunk that a session asks for, if that needs neither a wait nor an explanation.
    :param idle_seconds: the time that a connection may be silent, or take to accept a response.
    :ivar seconds: returns the time, in seconds since the epoch.
    :param fast_path: whether to answer plain requests for chunks before they are parsed; see :mod:`.fast_path`.
    """

    protocol: Any = BackpressureChannel
    max_body = 16 * 1024

    def __init__(
        self,
        resource: Any,
        budget: Budget,
        read_cached: Callable[[str, int], ChunkResponse | None],
        clock: IReactorTime,
        idle_seconds: int = 30,
        fast_path: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(resource, timeout=idle_seconds, reactor=clock, **options)
        self.read_cached = read_cached
        self.fast_path = fast_path
        self.channels: set[BackpressureChannel] = set()
        self._budget = budget
        self._clock = clock
        self.seconds = clock.seconds

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """Accept a connection, if the budget has room for it."""
        if not self._budget.take(CONNECTIONS, CONNECTION_BYTES):
            return RefusingProtocol()
        channel: Any = super().buildProtocol(addr)
        channel.site = self
        return channel

    def gone(self, channel: BackpressureChannel) -> None:
        """Release what a connection was granted."""
        if channel in self.channels:
            self.channels.remove(channel)
            self._budget.release(CONNECTIONS, CONNECTION_BYTES)

    def log(self, request: Any) -> None:
        """Write no access log: it would name sessions, and cost more than most responses."""

    async def drain(self, seconds: float = 4.0) -> None:
        """Finish the responses that are in progress, for a bounded time; then close all connections."""
        step = 0.05
        while seconds > 0 and self.channels:
            for channel in list(self.channels):
                if channel.idle:
                    channel.loseConnection()
            await deferLater(self._clock, step)
            seconds -= step
        for channel in list(self.channels):
            channel.transport.abortConnection()
