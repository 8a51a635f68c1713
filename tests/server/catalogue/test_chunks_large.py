"""Tests for :mod:`patches.server.catalogue.chunks`: records that are too large."""

from __future__ import annotations

import random

from twisted.trial.unittest import SynchronousTestCase

from patches.server.catalogue.chunks import cut_chunks, fits, split_large
from patches.vulnerability import FixedPackage, Severity, Vulnerability
from patches.wire import decode_lines, encode_line
from tests.server.fake_catalogue import lines, vulnerabilities


def split(record: Vulnerability) -> list[Vulnerability]:
    """Return the parts of a record, each of which fits into a chunk."""
    found = list(split_large([encode_line(record)]))
    assert all(map(fits, found))
    assert sum(chunk.vulnerabilities for chunk in cut_chunks(found)) == len(found)
    return [part for line in found for part in decode_lines(line)]


def noise(size: int) -> str:
    """Return a text that can hardly be compressed."""
    return random.Random(1).randbytes(size // 2).hex()


class SplittingTests(SynchronousTestCase):
    """Records of all sizes."""

    def test_small(self) -> None:
        """Records that fit are unchanged, also large ones that can be compressed."""
        large = Vulnerability("x", "debian-12", details_href="x" * 500_000)
        records = [*lines(vulnerabilities(30)), encode_line(large)]
        self.assertEqual(list(split_large(records)), records)

    def test_packages(self) -> None:
        """A record of many packages is split; all ranges of a package are in one part, and the rest is in each."""
        packages = tuple(
            FixedPackage(f"package-{number}", version, arches=("x86_64",))
            for version in ("1-1", "2-1")
            for number in range(20_000)
        )
        facts = Severity.HIGH, "https://a.test", ("DSA-1",), "own"
        record = Vulnerability("CVE-2024-0001", "debian-12", packages, *facts)
        parts = split(record)
        self.assertGreater(len(parts), 1)
        self.assertEqual(sorted(map(str, packages)), sorted(str(each) for part in parts for each in part.fixed_in))
        names = [name for part in parts for name in {each.name for each in part.fixed_in}]
        self.assertEqual(len(names), len(set(names)))
        for part in parts:
            rest = part.name, part.severity, part.details_href, part.aliases, part.source
            self.assertEqual(rest, ("CVE-2024-0001", *facts))

    def test_one_package(self) -> None:
        """A package that is too large by itself is unreadable, beside the others."""
        large = FixedPackage("large", noise(300_000))
        packages = FixedPackage("curl", "1-1"), large, FixedPackage("zlib", "1-1")
        parts = split(Vulnerability("CVE-2024-0001", "debian-12", packages))
        found = {each.name: (each.version, each.status, each.note) for part in parts for each in part.fixed_in}
        fixed = ("1-1", "fixed", None)
        unreadable = (None, "unreadable", "the record is too large")
        self.assertEqual(found, {"curl": fixed, "large": unreadable, "zlib": fixed})

    def test_large_rest(self) -> None:
        """With too much beside its packages, a record remains with its name, and its packages are unreadable."""
        record = Vulnerability("CVE-2024-0001", "debian-12", (FixedPackage("curl", "1"),), details_href=noise(300_000))
        (part,) = split(record)
        self.assertEqual((part.details_href, part.fixed_in[0].status), ("", "unreadable"))
        (part,) = split(Vulnerability("CVE-2024-0001", "debian-12", details_href=noise(300_000)))
        self.assertEqual(part, Vulnerability("CVE-2024-0001", "debian-12"))
        text = noise(400_000)
        aliases = tuple(text[start : start + 40] for start in range(0, len(text), 40))
        (part,) = split(Vulnerability("CVE-2024-0001", "debian-12", aliases=aliases))
        self.assertEqual(part.aliases, aliases[:100])
