"""Chunks: the lines of a list, cut by size and encoded once."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator

from attrs import frozen

from patches.interfaces import SourceError
from patches.wire import MAX_CHUNK_BYTES, digest

#: A chunk's body is cut when it reaches this many bytes, uncompressed.
TARGET_BYTES = 256 * 1024
#: No chunk's gzip form is larger, so that it fits a socket's send buffer.
MAX_ENCODED_BYTES = 64 * 1024


class RecordTooLarge(SourceError):
    """One vulnerability alone is larger than a chunk may be."""


@frozen(eq=False)
class Chunk:
    """
    A run of consecutive vulnerabilities of a snapshot.

    :ivar number: its position in the snapshot, from 0.
    :ivar vulnerabilities: the number of its lines.
    :ivar digest: the 32-byte SHA-256 of the uncompressed body.
    :ivar encoded: the body as gzip.
    """

    number: int
    vulnerabilities: int
    digest: bytes
    encoded: bytes


def cut_chunks(lines: Iterable[bytes], target: int = TARGET_BYTES, largest: int = MAX_ENCODED_BYTES) -> Iterator[Chunk]:
    """
    Cut lines into chunks, with at most one chunk's lines in memory.

    :param lines: the encoded vulnerabilities, each with its line feed.
    :raises RecordTooLarge: at a line that no chunk can hold.
    """
    number = 0
    for run in _runs(lines, target):
        for part, encoded in _encode(run, largest):
            yield Chunk(number, len(part), digest(b"".join(part)), encoded)
            number += 1


def _runs(lines: Iterable[bytes], target: int) -> Iterator[list[bytes]]:
    run: list[bytes] = []
    size = 0
    for line in lines:
        if run and size + len(line) > target:
            yield run
            run, size = [], 0
        run.append(line)
        size += len(line)
    if run:
        yield run


def _encode(run: list[bytes], largest: int) -> Iterator[tuple[list[bytes], bytes]]:
    body = b"".join(run)
    encoded = gzip.compress(body, 6, mtime=0)
    if len(encoded) <= largest and len(body) <= MAX_CHUNK_BYTES:
        yield run, encoded
    elif len(run) == 1:
        raise RecordTooLarge(f"a record of {len(run[0])} bytes is too large for a chunk: {run[0][:80]!r}…")
    else:
        middle = len(run) // 2
        yield from _encode(run[:middle], largest)
        yield from _encode(run[middle:], largest)
