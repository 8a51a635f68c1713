"""Made-up vulnerabilities, snapshots and chunks, and a loader of chunks that a test controls."""

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
    """Create one vulnerability."""
    package = FixedPackage(f"package-{number % 50}", f"1.{number}-1")
    return Vulnerability(f"CVE-2024-{number:06d}", platform, (package,), Severity(number % 7), href, source="made-up")


def vulnerabilities(count: int, platform: str = "debian-12") -> list[Vulnerability]:
    """Create a list of vulnerabilities, ordered by name."""
    return [vulnerability(number, platform) for number in range(count)]


def lines(records: Iterable[Vulnerability]) -> list[bytes]:
    """Return the records as encoded lines."""
    return [encode_line(record) for record in records]


def snapshot(chunks: int = 4, platform: str = "debian-12", revision: str = "r1") -> Snapshot:
    """Create a snapshot that is not in a catalogue."""
    return Snapshot(revision, platform, 0.0, 0.0, chunks * 10, chunks, "00" * 32, {})


def blank(number: int, size: int = MAX_RESPONSE_BYTES) -> ChunkResponse:
    """Create a chunk of a given size in memory, without content."""
    return ChunkResponse(number, b"", bytes(size), 0)


def real(revision: str, number: int) -> ChunkResponse:
    """Create a chunk that names its revision and number, as a whole HTTP response."""
    body = b'{"chunk":"%s %d"}\n' % (revision.encode(), number)
    return create_response(Chunk(number, 1, digest(body), gzip.compress(body, mtime=0)), 0.0)


class Shelf:
    """
    A loader of chunks that a test controls.

    :ivar wanted: the pending requests, each as revision, number and the Deferred that waits.
    :ivar asked: all requests that were ever made.
    :ivar at_once: whether chunks are loaded without a wait.
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
        """Complete the oldest pending request."""
        revision, number, waiting = self.wanted.pop(0)
        waiting.callback(real(revision, number))

    def fail(self) -> None:
        """Fail the oldest pending request."""
        self.wanted.pop(0)[2].errback(ShelfBroken())


class ShelfBroken(Exception):
    """The failure of a load."""
