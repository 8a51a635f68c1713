"""The progress of a comparison."""

from __future__ import annotations

from collections.abc import AsyncIterator

from twisted.internet.defer import ensureDeferred
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.client.verified_stream import VerifiedStream
from patches.scanner.compare import Comparison
from patches.scanner.inventory import Inventory, Package
from patches.vulnerability import FixedPackage, Vulnerability
from patches.wire import digest, encode_line

INVENTORY = Inventory("dpkg", (Package("sudo", "1", "amd64", "sudo", "1"),))


class BodiesStream(VerifiedStream):
    """A stream of chunks with one vulnerability each."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.chunks = [
            encode_line(Vulnerability(f"CVE-2024-{n:04}", "debian-12", (FixedPackage("sudo", "2"),)))
            for n in range(count)
        ]

    async def bodies(self) -> AsyncIterator[bytes]:
        """Yield the bodies."""
        for body in self.chunks:
            self._count(body, digest(body))
            yield body


class WatchTests(SynchronousTestCase):
    """The function that watches a comparison."""

    def test_each_chunk(self) -> None:
        """The function is called for each chunk, including the first, and each vulnerability is found."""
        for count in (0, 1, 2, 5):
            told: list[int] = []
            comparison = Comparison.of(BodiesStream(count), INVENTORY)
            self.successResultOf(ensureDeferred(comparison.run(lambda stream, told=told: told.append(stream.served))))  # type: ignore[misc]
            self.assertEqual(told, list(range(1, count + 1)))
            self.assertEqual(len(comparison.findings.all({})), count)
