"""From a cached list and the delta to another one, a scanner builds exactly the list that the server would send."""

from __future__ import annotations

import gzip
import random
from collections.abc import AsyncIterator, Iterable

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import ensureDeferred
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.client.delta import DeltaApplier
from patches.server.catalogue.chunks import cut_chunks
from patches.server.catalogue.delta import NoDelta, delta_chunks
from patches.vulnerability import Facts, FixedPackage, Severity, Vulnerability
from patches.wire import encode_line
from tests.server.fake_catalogue import lines, vulnerabilities

_NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=3) | st.sampled_from(
    ['"', "\\", 'a"b', "a\\nb", "é"]
)
_LISTS = st.dictionaries(_NAMES, st.lists(st.integers(0, 2), min_size=1, max_size=3, unique=True), max_size=12)
_MOST = 1 << 20


def encoded(records: dict[str, list[int]]) -> list[bytes]:
    """Return lines, ordered by name: of each name, one for each number."""
    made = (
        Vulnerability(name, "debian-12", (FixedPackage("sudo", str(number)),), details_href=f"https://ä/{name}")
        for name in sorted(records)
        for number in records[name]
    )
    return [encode_line(vulnerability) for vulnerability in made]


async def _each(bodies: Iterable[bytes]) -> AsyncIterator[bytes]:
    for body in bodies:
        yield body


class DeltaTests(SynchronousTestCase):
    """There and back."""

    def patched(self, old: list[bytes], new: list[bytes], target: int = 200) -> tuple[list[bytes], list[bytes]]:
        """Return the chunks that a scanner builds, and those of the server."""
        cuts = [chunk.vulnerabilities for chunk in cut_chunks(new, target)]
        wanted = [gzip.decompress(chunk.encoded) for chunk in cut_chunks(new, target)]
        deltas = [gzip.decompress(chunk.encoded) for chunk in delta_chunks(old, new, _MOST)]

        async def made() -> list[bytes]:
            return [body async for body in DeltaApplier(iter(old), cuts).bodies(_each(deltas))]

        return self.successResultOf(ensureDeferred(made())), wanted

    @given(_LISTS, _LISTS)
    def test_any(self, old: dict[str, list[int]], new: dict[str, list[int]]) -> None:
        """The result is the same for any additions, changes, withdrawals and names."""
        made, wanted = self.patched(encoded(old), encoded(new))
        self.assertEqual(made, wanted)

    def test_facts(self) -> None:
        """Facts of enriching sources that come, change and go are the same at both ends."""
        plain = [Vulnerability(f"CVE-2024-{n:04}", "debian-12", (FixedPackage("sudo", "1"),)) for n in range(40)]
        known = Facts(Severity.HIGH, "nvd", "CVSS:3.1/AV:N", 10.0, "2024-01-01", 0.0)
        some = [
            evolve(each, score=n / 10, epss=n % 10 / 10, kev="2024-05-06", facts=(("CVE-1", known),) if n % 3 else ())
            for n, each in enumerate(plain)
        ]
        for old, new in ((plain, some), (some, plain), (some, [*some[:20], *plain[20:]])):
            made, wanted = self.patched(lines(old), lines(new))
            self.assertEqual(made, wanted)

    def test_nothing_changed(self) -> None:
        """Two equal lists have an empty delta, even if they are cut into chunks differently."""
        same = lines(vulnerabilities(50))
        self.assertEqual(delta_chunks(same, same, 0), [])
        made, wanted = self.patched(same, same, 3000)
        self.assertEqual(made, wanted)

    def test_small(self) -> None:
        """A change of a long list is a line."""
        old = vulnerabilities(3000)
        new = [*old[:1000], *old[1001:]]
        (chunk,) = delta_chunks(lines(old), lines(new), _MOST)
        self.assertEqual(chunk.vulnerabilities, 1)
        self.assertEqual(
            gzip.decompress(chunk.encoded), b'{"name":"CVE-2024-001000","change":"withdrawn","vulnerabilities":[]}\n'
        )

    def test_too_long(self) -> None:
        """A delta that becomes too long is given up; so is one with a name whose records fit into no chunk."""
        self.assertRaises(NoDelta, delta_chunks, [], lines(vulnerabilities(100)), 500)
        noise = random.Random(0)
        hrefs = [noise.randbytes(20_000).hex() for _ in range(4)]
        many = [encode_line(Vulnerability("CVE-1", "debian-12", details_href=href)) for href in hrefs]
        self.assertRaises(NoDelta, delta_chunks, [], many, _MOST)
