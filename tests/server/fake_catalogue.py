"""Made-up vulnerabilities, snapshots and chunks, and a shelf that gives chunks when it is told to."""

from __future__ import annotations

import gzip
from collections.abc import Iterable

from twisted.internet.defer import Deferred, succeed

from patches.server.catalogue.chunks import Chunk
from patches.server.catalogue.snapshot import Snapshot
from patches.server.sessions.chunk_response import MAX_RESPONSE_BYTES, ChunkResponse, create_response
from patches.vulnerability import FixedPackage, Severity, Vulnerability
from patches.wire import digest, encode_line


def vulnerability(number: int, platform: str = "debian-12", href: str = "") -> Vulnerability:
    """Make one vulnerability."""
    package = FixedPackage(f"package-{number % 50}", f"1.{number}-1")
    return Vulnerability(f"CVE-2024-{number:06d}", platform, (package,), Severity(number % 7), href, source="made-up")


def vulnerabilities(count: int, platform: str = "debian-12") -> list[Vulnerability]:
    """Make many, ordered by name."""
    return [vulnerability(number, platform) for number in range(count)]


def lines(records: Iterable[Vulnerability]) -> list[bytes]:
    """Encode them."""
    return [encode_line(record) for record in records]


def snapshot(chunks: int = 4, platform: str = "debian-12", revision: str = "r1") -> Snapshot:
    """Make a snapshot that is in no catalogue."""
    return Snapshot(revision, platform, 0.0, 0.0, chunks * 10, chunks, "00" * 32, {})


def blank(number: int, size: int = MAX_RESPONSE_BYTES) -> ChunkResponse:
    """Make a chunk in memory of a given size, with nothing in it."""
    return ChunkResponse(number, b"", bytes(size), 0)


def real(revision: str, number: int) -> ChunkResponse:
    """Make a chunk in memory that says whose it is, as HTTP answer and all."""
    body = b'{"chunk":"%s %d"}\n' % (revision.encode(), number)
    return create_response(
        Chunk(number, 1, digest(body), gzip.compress(body, mtime=0)), b"Thu, 01 Jan 1970 00:00:00 GMT"
    )


class Shelf:
    """
    Where chunks are loaded from.

    :ivar wanted: what was asked for and not given yet: revision, number, and who waits.
    :ivar asked: everything that was ever asked for.
    :ivar at_once: whether chunks are given without a wait.
    """

    def __init__(self, at_once: bool = True) -> None:
        self.at_once = at_once
        self.asked: list[tuple[str, int]] = []
        self.wanted: list[tuple[str, int, Deferred[ChunkResponse]]] = []

    def load(self, revision: str, number: int) -> Deferred[ChunkResponse]:
        """Ask for a chunk."""
        self.asked.append((revision, number))
        if self.at_once:
            return succeed(real(revision, number))
        waiting: Deferred[ChunkResponse] = Deferred()
        self.wanted.append((revision, number, waiting))
        return waiting

    def give(self) -> None:
        """Answer the oldest request."""
        revision, number, waiting = self.wanted.pop(0)
        waiting.callback(real(revision, number))

    def fail(self) -> None:
        """Fail at what was asked for first."""
        self.wanted.pop(0)[2].errback(ShelfBroken())


class ShelfBroken(Exception):
    """What a load fails with."""
