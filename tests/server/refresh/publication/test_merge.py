"""Tests for :mod:`patches.server.refresh.publication.merge`: the lists of several sources are merged into one."""

from __future__ import annotations

import json
from pathlib import Path

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from patches.followed import followed_records
from patches.server.refresh.publication.merge import enriched_lines, merge
from patches.vulnerability import FOLLOWED, Facts, FixedPackage, Vulnerability
from patches.wire import encode_line, from_wire


def record(name: str, *fixed: FixedPackage, source: str = "vendor", aliases: tuple[str, ...] = ()) -> Vulnerability:
    """Create a record."""
    return Vulnerability(name, "debian-12", fixed, source=source, aliases=aliases)


def fix(package: str, version: str | None, status: str = "fixed") -> FixedPackage:
    """Create a fix."""
    return FixedPackage(package, version, status=status)


SAID = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 9), st.sampled_from("ab"), st.sampled_from("12")), max_size=30
)


class EnrichedTests(SynchronousTestCase):
    """Lines, and what is known about the ids of their records."""

    def test_lines(self) -> None:
        """A line of which nothing is known stays byte by byte, as does that of followed packages."""
        followed = list(followed_records("debian-12", ["curl"], "vendor"))
        records = [*followed, record("CVE-2024-0001", fix("a", "1")), record("CVE-2024-0002", fix("a", "1"))]
        lines = [encode_line(each) for each in records]
        lines[1] = lines[1].replace(b'","affected', b'", "affected', 1)
        known = {"CVE-2024-0002": Facts(kev="2024-01-02"), FOLLOWED: Facts(kev="2024-01-02")}
        found = list(enriched_lines(lines, known.get))
        self.assertEqual(found, [*lines[:2], encode_line(evolve(records[2], kev="2024-01-02"))])


class MergingTests(SynchronousTestCase):
    """Merging lists, that of the vendor first."""

    def merged(self, *lists: list[Vulnerability]) -> list[Vulnerability]:
        """Return the lists merged into one."""
        scratch = Path(self.mktemp())
        ordered = [sorted(records, key=lambda each: each.name) for records in lists]
        told = [(lambda records=records: [(each.name, encode_line(each)) for each in records]) for records in ordered]
        found = [from_wire(json.loads(line)) for line in merge(told, scratch)]
        self.assertFalse(scratch.exists())
        return found

    def test_one(self) -> None:
        """A single list is not changed, including records that are not affected."""
        records = [record("CVE-2024-0001", fix("a", None, "not_affected")), record("CVE-2024-0002")]
        self.assertEqual(self.merged(records), records)

    def test_order(self) -> None:
        """Records are ordered by name, and those of the vendor come first; each keeps its source."""
        vendor = [record("CVE-2024-0002", fix("a", "2"))]
        other = [
            record("CVE-2024-0001", fix("b", "1"), source="osv"),
            record("CVE-2024-0002", fix("a", "2"), source="osv"),
        ]
        told = [(each.name, each.source) for each in self.merged(vendor, other)]
        self.assertEqual(told, [("CVE-2024-0001", "osv"), ("CVE-2024-0002", "vendor"), ("CVE-2024-0002", "osv")])

    def test_not_affected(self) -> None:
        """A vendor's statement that a package is not affected overrides others, for that vulnerability only."""
        vendor = [record("CVE-2024-0001", fix("a", None, "not_affected"))]
        other = [
            record("CVE-2024-0001", fix("a", "9"), fix("b", "9"), source="osv"),
            record("CVE-2024-0002", fix("a", "9"), source="osv"),
        ]
        told = [(each.name, each.source, each.fixed_in) for each in self.merged(vendor, other)[1:]]
        expected = [("CVE-2024-0001", "osv", (fix("b", "9"),)), ("CVE-2024-0002", "osv", (fix("a", "9"),))]
        self.assertEqual(told, expected)

    def test_followed(self) -> None:
        """The lists of followed packages of all sources are united; they come first."""
        vendor = [*followed_records("debian-12", ["b", "a"], "vendor"), record("CVE-2024-0001", fix("a", "1"))]
        osv = [*followed_records("debian-12", ["c", "a"], "osv"), record("CVE-2024-0002", source="osv")]
        first, *rest = self.merged(vendor, osv, [record("CVE-2024-0001", source="x")])
        self.assertEqual((first.name, first.followed, first.source), (FOLLOWED, ("a", "b", "c"), "vendor"))
        self.assertNotIn(FOLLOWED, [each.name for each in rest])
        self.assertEqual(self.merged(osv), sorted(osv, key=lambda each: each.name))

    def test_unreadable(self) -> None:
        """A statement that cannot be read contradicts nothing, and is skipped where another source has one."""
        unreadable = FixedPackage("a", None, status="unreadable", note="?")
        valid = record("CVE-2024-0001", fix("a", "1"), source="osv")
        self.assertEqual(self.merged([record("CVE-2024-0001", unreadable)], [valid])[1:], [valid])
        other = record("CVE-2024-0001", unreadable, source="osv")
        self.assertEqual(self.merged([record("CVE-2024-0001", fix("a", "1"))], [other])[1:], [])

    def test_tracks(self) -> None:
        """Builds of several tracks never contradict each other: the version, the list or the id shows them."""
        for platform, names, builds, track in (
            ("amazon-2", ("ALAS2-2024-1", "ALAS2DOCKER-2024-1"), ("1-1.amzn2", "2-1.amzn2"), None),
            ("oracle-8", ("ELSA-2024-1", "ELSA-2024-2"), ("2.28-1.el8", "2:2.28-1.ksplice1.el8"), None),
            ("rhel-9", ("RHSA-2024:1", "RHSA-2024:2"), ("0:8-1.el9", "0:7-1.el9"), "eus-9.4"),
        ):
            lists = [
                [Vulnerability(name, platform, (fixed,), aliases=("CVE-2024-0001",), source=name)]
                for name, fixed in (
                    (names[0], FixedPackage("docker", builds[0], "binary")),
                    (names[1], FixedPackage("docker", builds[1], "binary", track=track)),
                )
            ]
            self.assertEqual(len(self.merged(*lists)), 2, platform)

    def test_contradiction(self) -> None:
        """
        If fixed versions differ, that of the vendor holds; another source cannot withdraw a statement of the vendor.
        """
        vendor = [record("CVE-2024-0001", fix("a", "2"))]
        for other in (fix("a", "3"), fix("a", None, "affected"), fix("a", None, "not_affected")):
            found = self.merged(vendor, [record("CVE-2024-0001", other, source="osv")])
            self.assertEqual(found, vendor)

    def test_advisory(self) -> None:
        """An advisory is skipped only if it is contradicted for each of its vulnerabilities."""
        vendor = [record("CVE-2024-0001", fix("a", None, "not_affected"))]
        one = record("ADV-1", fix("a", "9"), source="osv", aliases=("CVE-2024-0001",))
        two = record("ADV-2", fix("a", "9"), source="osv", aliases=("CVE-2024-0001", "CVE-2024-0002"))
        self.assertEqual(self.merged(vendor, [one, two]), [two, *vendor])

    def test_three(self) -> None:
        """The first of three sources that has a statement on a vulnerability in a package holds."""
        lists = [
            [record("CVE-2024-0001", fix("a", "1"), source="one")],
            [record("CVE-2024-0002", fix("a", "2"), source="two")],
            [record(f"CVE-2024-000{n}", fix("a", "3"), source="three") for n in (1, 2, 3)],
        ]
        told = {(each.name, each.source) for each in self.merged(*lists)}
        self.assertEqual(told, {("CVE-2024-0001", "one"), ("CVE-2024-0002", "two"), ("CVE-2024-0003", "three")})

    @given(
        st.lists(
            st.tuples(st.integers(0, 2), st.integers(0, 9), st.sampled_from("ab"), st.sampled_from("12")), max_size=30
        )
    )
    @settings(deadline=None, max_examples=60)
    def test_law(self, said: list[tuple[int, int, str, str]]) -> None:
        """The first statement on each vulnerability in a package is in the result, once; nothing else is."""
        lists: list[dict[str, Vulnerability]] = [{}, {}, {}]
        for number, flaw, package, version in said:
            name = f"CVE-2024-000{flaw}"
            lists[number][name] = record(name, fix(package, version), source=str(number))
        merged = self.merged(*(list(each.values()) for each in lists))
        told = {(each.name, each.source, each.fixed_in[0]) for each in merged}
        given_all = {(each.name, each.source, each.fixed_in[0]) for records in lists for each in records.values()}
        self.assertLessEqual(told, given_all)
        self.assertEqual(len(told), len(merged))
        for name, source, fixed in given_all:
            earlier = [e for e in given_all if e[0] == name and e[2].name == fixed.name and e[1] < source]
            if not earlier:
                self.assertIn((name, source, fixed), told)
