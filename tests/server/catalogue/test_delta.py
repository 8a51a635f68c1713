"""Tests for :mod:`patches.server.catalogue.delta`."""

from __future__ import annotations

import gzip
import json

from twisted.trial.unittest import SynchronousTestCase

from patches.server.catalogue.delta import Delta, NoDelta, delta_chunks, delta_name
from tests.server.fake_catalogue import lines, snapshot, vulnerabilities, vulnerability

OLD = vulnerabilities(20)
NEW = [*OLD[:5], vulnerability(5, href="https://changed.test/"), *OLD[7:], vulnerability(20)]


class DeltaTests(SynchronousTestCase):
    """What became of a list."""

    def test_name(self) -> None:
        """A delta has a name of its own: of 32 digits, another one for each pair and direction."""
        names = {delta_name(*pair) for pair in (("a", "b"), ("b", "a"), ("a", "c"), ("ab", ""))}
        self.assertEqual((len(names), {len(name) for name in names}), (4, {32}))

    def test_lines(self) -> None:
        """There is one line for each name that changed, came or went, with its new records."""
        [chunk] = delta_chunks(lines(OLD), lines(NEW), 10**6)
        told = [json.loads(line) for line in gzip.decompress(chunk.encoded).splitlines()]
        names = [each["name"] for each in told]
        self.assertEqual(names, [OLD[5].name, OLD[6].name, "CVE-2024-000020"])
        self.assertEqual([len(each["vulnerabilities"]) for each in told], [1, 0, 1])
        self.assertEqual(chunk.vulnerabilities, 3)

    def test_unchanged(self) -> None:
        """Of a list that has not changed there is nothing to tell, whatever it may take."""
        self.assertEqual(delta_chunks(lines(OLD), lines(OLD), 0), [])

    def test_limit(self) -> None:
        """A delta of exactly the bytes that it may take is worthwhile; with one byte less it is not."""
        chunks = delta_chunks(lines(OLD), lines(NEW), 10**6)
        size = sum(len(chunk.encoded) for chunk in chunks)
        again = delta_chunks(lines(OLD), lines(NEW), size)
        self.assertEqual([chunk.digest for chunk in again], [chunk.digest for chunk in chunks])
        self.assertRaises(NoDelta, delta_chunks, lines(OLD), lines(NEW), size - 1)

    def test_too_large(self) -> None:
        """A change that no chunk can hold is not worthwhile."""
        large = [vulnerability(1, href="".join(map(chr, range(0x4E00, 0x9FFF))) * 20)]
        self.assertRaises(NoDelta, delta_chunks, [], lines(large), 10**9)

    def test_platform(self) -> None:
        """It is of the platform of the list to which it leads."""
        self.assertEqual(Delta("n", "r0", snapshot(4, "alpine-3.20"), 1, 1, ()).platform, "alpine-3.20")
