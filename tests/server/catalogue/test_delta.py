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
    """The differences between two lists."""

    def test_name(self) -> None:
        """A delta has a name of 32 digits, which depends on both lists and their order."""
        names = {delta_name(*pair) for pair in (("a", "b"), ("b", "a"), ("a", "c"), ("ab", ""))}
        self.assertEqual((len(names), {len(name) for name in names}), (4, {32}))

    def test_lines(self) -> None:
        """A delta has one line, with the new records, for each name that was changed, added or withdrawn."""
        [chunk] = delta_chunks(lines(OLD), lines(NEW), 10**6)
        told = [json.loads(line) for line in gzip.decompress(chunk.encoded).splitlines()]
        names = [each["name"] for each in told]
        self.assertEqual(names, [OLD[5].name, OLD[6].name, "CVE-2024-000020"])
        self.assertEqual([len(each["vulnerabilities"]) for each in told], [1, 0, 1])
        self.assertEqual(chunk.vulnerabilities, 3)

    def test_unchanged(self) -> None:
        """The delta between equal lists is empty, whatever the limit."""
        self.assertEqual(delta_chunks(lines(OLD), lines(OLD), 0), [])

    def test_limit(self) -> None:
        """A delta of exactly the maximum size is accepted; with a maximum one byte less it is rejected."""
        chunks = delta_chunks(lines(OLD), lines(NEW), 10**6)
        size = sum(len(chunk.encoded) for chunk in chunks)
        again = delta_chunks(lines(OLD), lines(NEW), size)
        self.assertEqual([chunk.digest for chunk in again], [chunk.digest for chunk in chunks])
        self.assertRaises(NoDelta, delta_chunks, lines(OLD), lines(NEW), size - 1)

    def test_too_large(self) -> None:
        """A delta with a change that does not fit into a chunk is rejected."""
        large = [vulnerability(1, href="".join(map(chr, range(0x4E00, 0x9FFF))) * 20)]
        self.assertRaises(NoDelta, delta_chunks, [], lines(large), 10**9)

    def test_platform(self) -> None:
        """The platform of a delta is that of its target list."""
        self.assertEqual(Delta("n", "r0", snapshot(4, "alpine-3.20"), 1, 1, ()).platform, "alpine-3.20")
