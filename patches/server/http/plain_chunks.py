"""Chunks for clients that do not accept gzip: unpacked once for all that are sent the same one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from patches.server.budget import RESPONSES
from patches.server.http.response_memory import take_response
from patches.server.sessions.chunk_response import ChunkResponse, uncompressed
from patches.service.budget import Budget


class PlainChunks:
    """
    The uncompressed responses of chunks, each kept as long as a connection is sending it.

    :param budget: grants the bytes of each, once for all connections.
    """

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._sending: dict[bytes, ChunkResponse] = {}

    @contextmanager
    def response_of(self, chunk: ChunkResponse) -> Iterator[ChunkResponse]:
        """
        Return the uncompressed response of a chunk, to be written within the block.

        :raises Denied: if there is no memory for it.
        """
        plain = self._sending.get(chunk.digest)
        if plain is not None:
            yield plain
            return
        plain = uncompressed(chunk)
        take_response(self._budget, plain.size)
        self._sending[chunk.digest] = plain
        try:
            yield plain
        finally:
            plain.when_unpinned(partial(self._forget, plain))

    def _forget(self, plain: ChunkResponse) -> None:
        del self._sending[plain.digest]
        self._budget.release(RESPONSES, plain.size)
