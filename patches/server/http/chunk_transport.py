"""
Connections that write the shared bytes of a chunk, and the ways of these bytes to the kernel.

A transport of Twisted keeps what is written, asks the reactor to be told when the socket is writable, and sends then.
For a chunk this costs as much as all else: two changes of what epoll watches, and a second turn of the reactor. The
kernel nearly always has room for a whole chunk, so :func:`send_now` tries first. ``benchmarks/serve.py`` measures what
that gains: 14 µs of CPU time a chunk in place of 23 at 100 connections.

A connection that is wrapped or encrypted has bytes of its own. It is given a chunk in pieces, each of which
:func:`flush` passes on at once, and the next only when the kernel has taken that: so it keeps one piece, not a chunk.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.abstract import FileDescriptor
from twisted.internet.main import CONNECTION_LOST
from twisted.internet.tcp import Server
from zope.interface import Interface


class IChunkTransport(Interface):
    """A connection that can write the answer of a chunk in bytes that all sessions share."""

    def write_chunk(chunk):  # type: ignore[no-untyped-def]
        """
        Write the whole answer of a chunk, its head included.

        :param chunk: a :class:`~patches.server.sessions.chunk_response.ChunkResponse`; pinned until it is flushed.
        """

    def when_flushed(call: Callable[[], None]):  # type: ignore[no-untyped-def]
        """Call once the kernel has taken what is written now, or the connection is lost."""


#: How many bytes of a chunk a connection is given at once: the most that a TLS record holds (RFC 8446 section 5.1).
PIECE_BYTES = 16 * 1024


def lowest(transport: Any) -> Any:
    """Return the transport that has the socket, below those that wrap it, such as TLS or the PROXY protocol."""
    while (below := getattr(transport, "transport", None)) is not None:
        transport = below
    return transport


def flush(transport: Any) -> None:
    """Pass on what a transport has gathered, and what is below it, as far as the kernel takes it now."""
    aggregator = getattr(transport, "_aggregator", None)
    if aggregator is not None:
        aggregator.flush()  # of Twisted's TLS, which else waits for the next turn of the reactor
    below = lowest(transport)
    if not isinstance(below, FileDescriptor) or not below.connected:
        return
    # A transport that is about to close does so within doWrite, and tells it to the reactor, which must be the caller.
    is_closing = below.disconnecting or below._writeDisconnecting
    if (below.dataBuffer or below._tempDataLen) and not is_closing:
        below.doWrite()  # an error is met again by the reactor


def can_send_now(transport: Any) -> bool:
    """Return whether :func:`send_now` may be used: for a plain connection, which nothing wraps or encrypts."""
    return isinstance(transport, Server) and not transport.TLS


def send_now(transport: Any, data: bytes) -> bool:
    """
    Send bytes to the kernel at once, past the buffer of the transport; the transport sends what is left.

    Its own buffer would copy that for each connection. So its producer is paused, and the transport is made to send
    from the very bytes when the socket is writable, until all are sent; then it goes on as usual.

    :return: False if nothing was done: the transport has other bytes to send, or is not connected.
    """
    if transport.dataBuffer or transport._tempDataLen or not transport.connected or "doWrite" in vars(transport):
        return False
    try:
        sent = transport.socket.send(data)
    except OSError:
        sent = 0  # the socket is full, or has an error, which the transport meets next
    if sent < len(data):
        _send_later(transport, memoryview(data)[sent:])
    return True


def _send_later(transport: Any, data: memoryview) -> None:
    def do_write() -> Any:
        """Replace :meth:`FileDescriptor.doWrite` of this transport until the bytes are sent."""
        nonlocal data
        try:
            data = data[transport.socket.send(data) :]
        except BlockingIOError:
            return None
        except OSError:
            return CONNECTION_LOST
        if data:
            return None
        del transport.doWrite
        return transport.doWrite()  # which resumes the producer, sends what was written meanwhile, or closes

    transport.doWrite = do_write
    transport.producerPaused = True
    transport.producer.pauseProducing()
    transport.startWriting()
