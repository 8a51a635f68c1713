"""
Connections that write the shared bytes of a chunk, and the short way of these bytes to the kernel.

A transport of Twisted keeps what is written, asks the reactor to be told when the socket is writable, and sends then.
For a chunk this costs as much as all else: two changes of what epoll watches, and a second turn of the reactor. The
kernel nearly always has room for a whole chunk, so :func:`send_now` tries first. ``benchmarks/serve.py`` measures what
that gains: 14 µs of CPU time a chunk in place of 23 at 100 connections.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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


def can_send_now(transport: Any) -> bool:
    """Return whether :func:`send_now` may be used: for a plain connection, which nothing wraps or encrypts."""
    return isinstance(transport, Server) and not transport.TLS


def send_now(transport: Any, data: bytes) -> int:
    """
    Send bytes to the kernel at once, unless the transport has others that come first.

    :return: the number of bytes that were sent, from the first on. What is left is for :func:`send_later`; so is an
        error of the socket, which the transport then meets itself.
    """
    if transport.dataBuffer or transport._tempDataLen or not transport.connected:
        return 0
    try:
        return int(transport.socket.send(data))
    except OSError:
        return 0


def send_later(transport: Any, data: bytes, sent: int) -> None:
    """
    Pass the rest of some bytes to the transport, which does not copy them, and pauses its producer until they are sent.

    :param sent: how many bytes :func:`send_now` has sent; not 0.
    """
    transport.dataBuffer, transport.offset = data, sent
    transport.producerPaused = True
    transport.producer.pauseProducing()
    transport.startWriting()
