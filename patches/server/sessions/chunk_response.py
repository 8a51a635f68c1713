"""A chunk in memory, as the complete HTTP response that delivers it: the same bytes for every session."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import formatdate

from attrs import define, field

from patches.server.catalogue.chunks import MAX_ENCODED_BYTES, Chunk
from patches.wire import NDJSON, digest, repr_digest, unpack_chunk

#: The longest head of a chunk's response, in bytes.
MAX_HEAD_BYTES = 1024
#: The most memory that a chunk takes, in bytes.
MAX_RESPONSE_BYTES = MAX_ENCODED_BYTES + MAX_HEAD_BYTES

_START = b"HTTP/1.1 200 OK\r\nDate: "
#: Where the date is in a response: all dates have one length (RFC 9110 section 5.6.7).
_DATE = slice(len(_START), len(_START) + len("Thu, 01 Jan 1970 00:00:00 GMT"))


@define(eq=False)
class ChunkResponse:
    """
    A chunk in memory.

    A transport that writes its bytes pins it until the kernel has taken them, so that the window can account for a
    chunk that it has already dropped.

    :ivar number: its position in the snapshot.
    :ivar digest: the 32-byte SHA-256 of the uncompressed body.
    :ivar answer: head and body in one ``bytes``, which transports share instead of copying.
    :ivar head_size: the number of bytes before the body.
    """

    number: int
    digest: bytes
    answer: bytes = field(repr=False)
    head_size: int
    _dated: float = 0.0
    _pins: int = field(default=0, init=False)
    _on_unpinned: Callable[[], None] | None = field(default=None, init=False)

    @property
    def size(self) -> int:
        """The number of bytes that it takes in memory."""
        return len(self.answer)

    @property
    def encoded(self) -> bytes:
        """The body alone: a copy."""
        return self.answer[self.head_size :]

    @property
    def is_pinned(self) -> bool:
        """Whether its bytes are being written to a socket."""
        return self._pins > 0

    def set_date(self, now: float) -> None:
        """
        Write the time into the response, unless its date is of the last second, or a transport sends its bytes.

        :param now: seconds since the epoch.
        """
        if now - self._dated >= 1 and not self._pins and self.head_size:
            self._dated = now
            self.answer = self.answer[: _DATE.start] + _http_date(now) + self.answer[_DATE.stop :]

    def pin(self) -> None:
        """Mark the bytes as being written to a socket."""
        self._pins += 1

    def unpin(self) -> None:
        """Mark the bytes as written, or as never to be written."""
        self._pins -= 1
        if not self._pins and self._on_unpinned is not None:
            on_free, self._on_unpinned = self._on_unpinned, None
            on_free()

    def when_unpinned(self, call: Callable[[], None]) -> None:
        """Call once no transport pins it."""
        if self._pins:
            self._on_unpinned = call
        else:
            call()


def chunk_headers(chunk_digest: bytes, coding: bytes, body: bytes) -> list[tuple[bytes, bytes]]:
    """
    Return the header fields of a chunk's response.

    ``Content-Digest`` (RFC 9530) is of the body as it is sent, so that a client can verify it before it unpacks it.

    :param coding: the content coding, ``gzip``, or empty for no coding.
    :param body: the body in that coding.
    """
    headers = [(b"Content-Encoding", coding)] if coding else []
    return [
        *headers,
        (b"Content-Type", NDJSON.encode("ascii")),
        (b"Content-Length", b"%d" % len(body)),
        (b"Repr-Digest", repr_digest(chunk_digest).encode("ascii")),
        (b"Content-Digest", repr_digest(digest(body)).encode("ascii")),
        (b"Vary", b"Accept-Encoding"),
        (b"Cache-Control", b"no-store"),
    ]


def create_response(chunk: Chunk, now: float) -> ChunkResponse:
    """
    Create the response of a chunk, once for all sessions.

    :param now: seconds since the epoch.
    """
    return _response(chunk.number, chunk.digest, b"gzip", chunk.encoded, now)


def uncompressed(chunk: ChunkResponse) -> ChunkResponse:
    """Return the response of a chunk in memory without a content coding."""
    return _response(chunk.number, chunk.digest, b"", unpack_chunk(chunk.encoded), 0.0)


def _response(number: int, chunk_digest: bytes, coding: bytes, body: bytes, now: float) -> ChunkResponse:
    fields = chunk_headers(chunk_digest, coding, body)
    head = _START + _http_date(now) + b"\r\n" + b"".join(b"%s: %s\r\n" % pair for pair in fields) + b"\r\n"
    return ChunkResponse(number, chunk_digest, head + body, len(head), now)


def _http_date(now: float) -> bytes:
    return formatdate(now, usegmt=True).encode("ascii")
