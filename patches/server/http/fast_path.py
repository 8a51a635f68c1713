"""
The fast path: requests for chunks that are recognized before Twisted's parser sees them.

Only a plain request that arrives alone and whole is recognized; everything else takes the long way, through the parser
and :mod:`~patches.server.http.api`, and gets the same answer. The fast path is an optimisation that can be switched off
(``ServerSite(fast_path=False)``); ``benchmarks/serve.py`` measures what it gains: three to four times the requests a
second of a bare :class:`~twisted.web.resource.Resource`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from attrs import frozen
from zope.interface import Interface

_CHUNK_REQUEST = re.compile(rb"GET /v1/sessions/([\w-]{1,512})/chunks/(\d{1,7}) HTTP/1\.1\r\n((?:[^\r\n]+\r\n)+)\r\n")


class IChunkTransport(Interface):
    """A connection that can write the answer of a chunk in bytes that all sessions share."""

    def write_chunk(chunk):  # type: ignore[no-untyped-def]
        """
        Write the whole answer of a chunk, its head included.

        :param chunk: a :class:`~patches.server.sessions.chunk_response.ChunkResponse`; pinned until it is flushed.
        """

    def when_flushed(call: Callable[[], None]):  # type: ignore[no-untyped-def]
        """Call once the kernel has taken what is written now, or the connection is lost."""


@frozen
class ChunkRequest:
    """A plain request for a chunk by a session."""

    token: str
    number: int


def match(data: bytes) -> ChunkRequest | None:
    """Return the request in the bytes; ``None`` if they are not exactly one plain request for a chunk."""
    found = _CHUNK_REQUEST.fullmatch(data)
    if found is None or not wants_plain_gzip(found[3]):
        return None
    return ChunkRequest(found[1].decode("ascii"), int(found[2]))


@lru_cache(maxsize=256)
def wants_plain_gzip(fields: bytes) -> bool:
    """Return whether header fields ask for gzip, and for nothing that the long way has to look at."""
    lines = fields.lower().split(b"\r\n")
    names = {line.partition(b":")[0] for line in lines}
    codings = [line.partition(b":")[2] for line in lines if line.startswith(b"accept-encoding:")]
    odd = names & {b"connection", b"expect", b"transfer-encoding", b"content-length", b"upgrade", b"range"}
    keeps = all(line.partition(b":")[2].strip() == b"keep-alive" for line in lines if line.startswith(b"connection:"))
    gzip = len(codings) == 1 and any(coding.strip() == b"gzip" for coding in codings[0].split(b","))
    return gzip and (not odd or (odd == {b"connection"} and keeps))
