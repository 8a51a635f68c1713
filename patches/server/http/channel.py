"""
The HTTP channel of the server: bounded, whatever its client does.

Theory of operation. A client that does not read must not make the server keep more than one response for it. The next
request of a connection is therefore not parsed before the kernel has taken the last response: ``transport.bufferSize``
is small, so the transport calls :meth:`BackpressureChannel.pauseProducing` at any write of some size, and
:meth:`BackpressureChannel.resumeProducing` once everything is written. A client that stalls is disconnected.

A plain request for a chunk that is in the window is answered by :mod:`~patches.server.http.fast_path`, before Twisted's
parser sees it, with the bytes that all sessions share; :mod:`~patches.server.http.chunk_transport` sends them. So is a
plain question whether a list has changed, if it has not: thousands of scanners ask every few minutes. Every
other request takes the parser and :mod:`~patches.server.http.api`, which gives the same response.
"""

from __future__ import annotations

from collections.abc import Callable
from socket import SO_SNDBUF, SOL_SOCKET
from typing import Any

from twisted.internet.interfaces import IReactorTime, ISystemHandle
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web.server import Request
from zope.interface import implementer

from patches.http.bounded_channel import BoundedChannel
from patches.http.bounded_site import BoundedSite
from patches.server.http.chunk_transport import PIECE_BYTES, IChunkTransport, can_send_now, flush, lowest, send_now
from patches.server.http.fast_path import match, match_question, unchanged_answer
from patches.server.sessions.chunk_response import ChunkResponse
from patches.service.budget import Budget

#: How many bytes the kernel may keep for one connection; a chunk fits.
SEND_BUFFER_BYTES = 64 * 1024

#: The read size of the transport, and the bytes that it buffers before it pauses its producer.
SMALL_BUFFER_BYTES = 4 * 1024


@implementer(IChunkTransport)
class BackpressureChannel(BoundedChannel):
    """An HTTP/1.1 connection that handles a request only when the kernel has taken the response to the last one."""

    site: ServerSite
    _flushed = True
    _told_parser = False
    _parser_was_used = False
    _sends_now = False
    _is_wrapped = False
    _is_writing = False
    _rest = memoryview(b"")
    _answered: Request | None = None
    _when_flushed: Callable[[], None] | None = None
    _early = b""

    def connectionMade(self) -> None:
        """Bound the buffers of the transport and of the kernel."""
        super().connectionMade()
        self._sends_now = self.site.fast_path and can_send_now(self.transport)
        transport = lowest(self.transport)
        self._is_wrapped = transport is not self.transport
        transport.bufferSize = SMALL_BUFFER_BYTES
        if ISystemHandle.providedBy(transport):
            socket: Any = transport.getHandle()
            socket.setsockopt(SOL_SOCKET, SO_SNDBUF, SEND_BUFFER_BYTES)

    def dataReceived(self, data: bytes) -> None:
        """Answer a plain request for a chunk; pass everything else to the parser; read on only when all is written."""
        if not self._flushed:
            self._early += data
            self.transport.pauseProducing()
        # A request that is being answered, or waits for its turn, comes first: the parser keeps what follows it.
        elif self.requests or self.refused or self.paused or not self._answer(data):
            self._parser_was_used = True
            super().dataReceived(data)

    def _answer(self, data: bytes) -> bool:
        if not self.site.fast_path:
            return False
        asked = match(data)
        question = match_question(data) if asked is None else None
        if (asked is None and question is None) or (self._parser_was_used and self._has_half_a_request()):
            return False
        if asked is not None and (loaded := self.site.read_cached(*asked)) is not None:
            self.resetTimeout()
            self.write_chunk(loaded)
        elif question is not None and self.site.revision_of(question[0]) == question[1]:
            self.resetTimeout()
            self.transport.write(unchanged_answer(question[1], self.site.wall()))
        else:
            return False
        self.site.note_read(self)
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
        chunk.set_date(self.site.wall())
        # Pinned first: an earlier response may have the same chunk, and when_flushed unpins that. Registered before the
        # write: the transport may take everything, or lose the connection, within it.
        chunk.pin()
        self.when_flushed(chunk.unpin)
        if not (self._sends_now and send_now(self.transport, chunk.answer)):
            if self._rest:  # of another chunk: it goes first
                self.transport.write(bytes(self._rest))
            self._rest = memoryview(chunk.answer)
            self._write_rest()
        if self._flushed:
            self._out()

    def _write_rest(self) -> None:
        """Write what is left of a chunk, piece by piece, as long as the kernel takes them."""
        self._is_writing = True
        while self._rest and self._flushed:
            piece, self._rest = self._rest[:PIECE_BYTES], self._rest[PIECE_BYTES:]
            self.transport.write(bytes(piece))
            flush(self.transport)
        self._is_writing = False

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
    def is_idle(self) -> bool:
        """Whether there is no request, whole or half read, and no answer that is not yet taken."""
        return self._flushed and self._answered is None and super().is_idle

    @property
    def is_answering(self) -> bool:
        """Whether a request is being answered, or its answer is not yet taken."""
        return not self._flushed or super().is_answering

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
        if self._rest and not self._is_writing:
            self._write_rest()
        if self._is_writing or not self._flushed:
            return
        self._out()
        self.site.note_read(self)
        if self._told_parser:
            self._told_parser = False
            super().resumeProducing()
        answered = self._answered
        if answered is not None:
            self._answered = None
            super().requestDone(answered)
        # The parser may have answered the next request meanwhile: then no more is read before that response is written.
        if self._early and self._flushed and self.persistent:
            self._early, early = b"", self._early
            self.transport.resumeProducing()
            self.dataReceived(early)

    def requestDone(self, request: Request) -> None:
        """Start the next request of a pipeline only when this response is written; wait a bounded time for that."""
        if self._is_wrapped and self._flushed:
            flush(self.transport)
        if self._flushed:
            self._out()
            super().requestDone(request)
        else:
            self._answered = request
            self.setTimeout(self._savedTimeOut)  # timeOut itself is None while a request is handled

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Release what this connection was granted."""
        self._rest = memoryview(b"")
        self._out()
        super().connectionLost(reason)


class ServerSite(BoundedSite):
    """
    The site of the server.

    :param read_cached: returns the chunk that a session asks for, if that needs neither a wait nor an explanation.
    :param revision_of: returns the revision of the list that a platform has; ``None`` if that needs an explanation.
    :param fast_path: whether to answer plain requests before they are parsed; see :mod:`.fast_path`.
    :param options: as :class:`~patches.http.bounded_site.BoundedSite` has them.
    """

    protocol: Any = BackpressureChannel
    kept_fields = frozenset((b"accept-encoding", b"if-none-match", b"prefer", b"x-forwarded-for"))

    def __init__(
        self,
        resource: Any,
        budget: Budget,
        read_cached: Callable[[str, int], ChunkResponse | None],
        clock: IReactorTime,
        fast_path: bool = True,
        revision_of: Callable[[str], str | None] = lambda platform: None,
        **options: Any,
    ) -> None:
        super().__init__(resource, budget, clock, **options)
        self.read_cached = read_cached
        self.revision_of = revision_of
        self.fast_path = fast_path
