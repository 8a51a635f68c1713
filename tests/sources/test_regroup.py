"""Tests for :mod:`patches.sources.regroup`: fragments are merged to complete vulnerabilities."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from patches.sources.regroup import FragmentStore, by_rating, merged
from patches.vulnerability import FixedPackage, Severity, Vulnerability

PARTS = st.builds(
    Vulnerability,
    name=st.sampled_from(["CVE-2024-0001", "CVE-2024-0002", "TEMP-1"]),
    platform=st.sampled_from(["debian-12", "debian-13"]),
    fixed_in=st.tuples(st.builds(FixedPackage, st.sampled_from("abc"), st.sampled_from([None, "1", "2"]))),
    severity=st.sampled_from(Severity),
    aliases=st.lists(st.sampled_from(["XSA-1", "XSA-2"]), unique=True, max_size=2).map(
        lambda names: tuple(sorted(names))
    ),
)


class GatheringTests(SynchronousTestCase):
    """A fragment store in a file of its own."""

    def gathering(self) -> FragmentStore:
        """Create an empty one."""
        self.path = Path(self.mktemp())
        gathering = FragmentStore(self.path)
        self.addCleanup(gathering.close)
        return gathering

    @given(st.lists(PARTS, max_size=12))
    def test_nothing_lost(self, parts: list[Vulnerability]) -> None:
        """Every package of every fragment is in the one vulnerability of its name and platform, and nothing else is."""
        gathering = self.gathering()
        gathering.add(parts[:5])
        gathering.add(iter(parts[5:]))
        found = [each for platform in gathering.platforms() for each in gathering.vulnerabilities(platform)]
        gathering.close()
        keys = [(each.platform, each.name) for each in found]
        self.assertEqual(keys, sorted(keys))
        self.assertEqual(set(keys), {(part.platform, part.name) for part in parts})
        packages = {(part.platform, part.name, package) for part in parts for package in part.fixed_in}
        given = [(each.platform, each.name, package) for each in found for package in each.fixed_in]
        self.assertEqual(set(given), packages)
        self.assertEqual(len({(*key, each.note) for key, each in zip(keys, found, strict=True)}), len(found))
        aliases = {(part.platform, part.name, alias) for part in parts for alias in part.aliases}
        self.assertEqual({(each.platform, each.name, alias) for each in found for alias in each.aliases}, aliases)

    def test_severity(self) -> None:
        """The highest severity is used; negligible in one fragment and unrated in another is unrated."""
        for severities, expected in (
            ((Severity.LOW, Severity.HIGH, Severity.UNKNOWN), Severity.HIGH),
            ((Severity.NEGLIGIBLE, Severity.UNKNOWN), Severity.UNKNOWN),
            ((Severity.NEGLIGIBLE, Severity.NEGLIGIBLE), Severity.NEGLIGIBLE),
            ((Severity.NEGLIGIBLE, Severity.LOW), Severity.LOW),
        ):
            parts = [Vulnerability("CVE-2024-0001", "debian-12", severity=severity) for severity in severities]
            self.assertEqual(merged(parts).severity, expected)

    def test_by_rating(self) -> None:
        """A package stays negligible if another one is not rated, which stays unrated."""
        low, none, rest = Severity.NEGLIGIBLE, Severity.UNKNOWN, Severity.LOW
        for severities, expected in (
            ((low, none), [(none, None, ("b",)), (low, "negligible", ("a",))]),
            ((none, low, low), [(none, None, ("a",)), (low, "negligible", ("b", "c"))]),
            ((low, low), [(low, None, ("a", "b"))]),
            ((none, none), [(none, None, ("a", "b"))]),
            ((low, none, rest), [(rest, None, ("a", "b", "c"))]),
        ):
            parts = [
                Vulnerability("CVE-2024-0001", "debian-12", (FixedPackage(name, "1"),), severity)
                for name, severity in zip("abc", severities, strict=False)
            ]
            found = [(each.severity, each.note, tuple(p.name for p in each.fixed_in)) for each in by_rating(parts)]
            self.assertEqual(found, expected)
        noted = [Vulnerability("CVE-1", "debian-12", severity=each, note="LDP") for each in (low, none)]
        self.assertEqual([each.note for each in by_rating(noted)], ["LDP", "LDP; negligible"])

    def test_said_once(self) -> None:
        """The fields of any fragment apply to the whole vulnerability."""
        parts = [
            Vulnerability("CVE-2024-0001", "debian-12"),
            Vulnerability("CVE-2024-0001", "debian-12", details_href="https://a", published="2024", cvss="CVSS:3.1/"),
        ]
        self.assertEqual(merged(parts), parts[1])

    def test_file(self) -> None:
        """The rest of an older scratch file is deleted, and so is the file in the end."""
        gathering = self.gathering()
        self.path.unlink()
        self.path.write_bytes(b"left over")
        gathering = FragmentStore(self.path)
        self.assertEqual(gathering.platforms(), [])
        gathering.close()
        self.assertFalse(self.path.exists())
