"""Chunks: the lines of a list, cut by size and encoded once; a record that no chunk can hold is split before."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator

from attrs import evolve, frozen

from patches.errors import SourceError
from patches.vulnerability import FixedPackage, Vulnerability
from patches.wire import MAX_CHUNK_BYTES, digest, encode_line, from_wire

#: A chunk's body is cut when it reaches this many bytes, uncompressed.
TARGET_BYTES = 800 * 1024
#: No chunk's gzip form is larger, so that it fits a socket's send buffer.
MAX_ENCODED_BYTES = 64 * 1024

#: The most aliases of a record whose packages are unreadable because it is too large.
MOST_ALIASES = 100
_NOTE = "the record is too large"


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

    @property
    def body_bytes(self) -> int:
        """The size of the uncompressed body, which gzip has in its last four bytes (RFC 1952, ISIZE)."""
        return int.from_bytes(self.encoded[-4:], "little")


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


def fits(line: bytes, largest: int = MAX_ENCODED_BYTES) -> bool:
    """Return whether a chunk can hold a line."""
    if len(line) > MAX_CHUNK_BYTES:
        return False
    return len(line) <= largest // 2 or len(_compressed(line)) <= largest


def split_large(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Yield lines of the wire format; a line that no chunk can hold is split. The order of the names stays."""
    for line in lines:
        if fits(line):
            yield line
        else:
            record = from_wire(json.loads(line))
            yield from map(encode_line, _parts(record))


def _parts(record: Vulnerability) -> Iterator[Vulnerability]:
    """
    Yield the parts of a record that is too large.

    All ranges of a package stay together, as they are compared with each other. A package that is too large by itself,
    or has too much beside it, is unreadable.
    """
    names = list(dict.fromkeys(package.name for package in record.fixed_in))
    if len(names) < 2:
        yield _unreadable(record)
        return
    first = frozenset(names[: len(names) // 2])
    for is_first in (True, False):
        packages = tuple(package for package in record.fixed_in if (package.name in first) is is_first)
        part = evolve(record, fixed_in=packages)
        if fits(encode_line(part)):
            yield part
        else:
            yield from _parts(part)


def _unreadable(record: Vulnerability) -> Vulnerability:
    kinds = sorted({(package.name, package.kind) for package in record.fixed_in})
    return Vulnerability(
        record.name,
        record.platform,
        tuple(FixedPackage(name, None, kind, status="unreadable", note=_NOTE) for name, kind in kinds),
        record.severity,
        aliases=record.aliases[:MOST_ALIASES],
        source=record.source,
    )


def _compressed(body: bytes) -> bytes:
    return gzip.compress(body, 6, mtime=0)


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
    encoded = _compressed(body)
    if len(encoded) <= largest and len(body) <= MAX_CHUNK_BYTES:
        yield run, encoded
    elif len(run) == 1:
        raise RecordTooLarge(f"a record of {len(run[0])} bytes is too large for a chunk: {run[0][:80]!r}…")
    else:
        middle = len(run) // 2
        yield from _encode(run[:middle], largest)
        yield from _encode(run[middle:], largest)
