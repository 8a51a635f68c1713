"""The interface of connections that write the shared bytes of a chunk."""

from __future__ import annotations

from collections.abc import Callable

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
