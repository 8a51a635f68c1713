"""Tests for :mod:`patches.scanner.matching.decision`: which of several fixes decide, in a record and across records."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.inventory import Inventory, Package
from patches.scanner.matching.findings import Finding, Findings
from patches.scanner.matching.matcher import Matcher
from patches.vulnerability import FixedPackage, Vulnerability


def fix(version: str | None, track: str | None = None, **more: str) -> FixedPackage:
    """Return a fix of curl."""
    return FixedPackage("curl", version, "binary", track=track, **more)


def findings(installed: str, *records: tuple[FixedPackage, ...], tracks: tuple[str, ...] = ()) -> list[Finding]:
    """Return the findings of one CVE in curl on RHEL 9, from one record or several."""
    package = Package("curl", installed, "x86_64", "curl", installed.partition(":")[2])
    inventory = Inventory("rpm", (package,), frozenset(tracks), platform="rhel-9")
    matcher, found = Matcher(inventory), Findings("rpm")
    for number, fixes in enumerate(records):
        record = Vulnerability(f"RHSA-2023:{number}", "rhel-9", fixes, aliases=("CVE-2023-38545",))
        for match in matcher.match(record):
            found.add(match)
    return found.all({}, (), matcher.counts)


class MinorReleaseTests(SynchronousTestCase):
    """Fixes for minor releases of Enterprise Linux, with the versions of CVE-2023-38545."""

    FIXES = (
        fix("0:7.76.1-14.el9_0.9", "eus-9.0"),
        fix("0:7.76.1-23.el9_2.4"),
        fix("0:7.76.1-26.el9_3.2"),
    )

    def shown(self, installed: str, *tracks: str) -> str | None:
        """Return the fix that is shown; ``None`` if there is no finding, in one record and in three."""
        one = findings(installed, self.FIXES, tracks=tracks)
        three = findings(installed, *((each,) for each in self.FIXES), tracks=tracks)
        self.assertEqual([each.fixed.version for each in one], [each.fixed.version for each in three], installed)
        return one[0].fixed.version if one else None

    def test_own_tag(self) -> None:
        """At or above the fix with the same dist tag is fixed; below it, that fix is shown."""
        self.assertIsNone(self.shown("0:7.76.1-23.el9_2.4"))
        self.assertIsNone(self.shown("0:7.76.1-23.el9_2.5"))
        self.assertEqual(self.shown("0:7.76.1-23.el9_2.3"), "0:7.76.1-23.el9_2.4")
        self.assertEqual(self.shown("0:7.76.1-26.el9_3.1"), "0:7.76.1-26.el9_3.2")
        self.assertIsNone(self.shown("0:7.76.1-29.el9_4"))

    def test_no_tag(self) -> None:
        """A build without a fix of its own tag is compared with the main line, and the highest fix is shown."""
        self.assertEqual(self.shown("0:7.76.1-19.el9"), "0:7.76.1-26.el9_3.2")
        self.assertEqual(self.shown("0:7.76.1-20.el9_1.1"), "0:7.76.1-26.el9_3.2")

    def test_extended(self) -> None:
        """A fix of extended support counts on hosts that have it; above it, a build of that minor release is fixed."""
        self.assertIsNone(self.shown("0:7.76.1-14.el9_0.9"))
        self.assertEqual(self.shown("0:7.76.1-14.el9_0.8", "eus-9.0"), "0:7.76.1-14.el9_0.9")

    def test_beyond(self) -> None:
        """On a host that stays on a minor release, a fix that only the main line has is shown as such."""
        for tracks, expected in (
            (("eus-9.0",), "in the main line; Extended Update Support 9.0 has no fix"),
            ((), None),
        ):
            [found] = findings("0:7.76.1-14.el9_0.8", (fix("0:7.76.1-26.el9_3.2"),), tracks=tracks)
            self.assertEqual(found.remark, expected)
        [found] = findings("0:7.76.1-26.el9_3.1", (fix("0:7.76.1-26.el9_3.2"),), tracks=("eus-9.3",))
        self.assertIsNone(found.remark)

    def test_other_lines(self) -> None:
        """The dist tag selects on Red Hat only: elsewhere a later fix of the one line is for every build."""
        package = Package("curl", "0:1.0-5.el8_4", "x86_64", "curl", "1.0-5.el8_4")
        fixes = (FixedPackage("curl", "0:1.0-4.el8_4", "binary"), FixedPackage("curl", "0:1.0-7.el8_6", "binary"))
        for platform, expected in (("oracle-8", 1), ("rhel-8", 0)):
            matcher = Matcher(Inventory("rpm", (package,), platform=platform))
            self.assertEqual(len(list(matcher.match(Vulnerability("CVE-2024-1", platform, fixes)))), expected)

    def test_own_track(self) -> None:
        """A track of the host goes before the main line across records too, without a dist tag."""
        main, own = (fix("0:1.5-1.el9"),), (fix("0:1.2-3.el9", "eus-9.4"),)
        self.assertEqual(findings("0:1.2-3.el9", main, own, tracks=("eus-9.4",)), [])
        [found] = findings("0:1.2-2.el9", main, own, tracks=("eus-9.4",))
        self.assertEqual((found.fixed.version, found.track), ("0:1.2-3.el9", "eus-9.4"))
        self.assertEqual(findings("0:1.2-4.el9", main, own, tracks=("eus-9.4",)), [])
        [found] = findings("0:1.2-4.el9", main, own)
        self.assertEqual((found.fixed.version, found.track), ("0:1.5-1.el9", None))

    def test_highest(self) -> None:
        """The highest fix is the highest by the native order, not as text."""
        [found] = findings("0:7.76.1-1.el9", (fix("0:7.76.1-9.el9"), fix("0:7.76.1-10.el9")))
        self.assertEqual(found.fixed.version, "0:7.76.1-10.el9")

    def test_listed(self) -> None:
        """A build that the vendor lists as fixed is fixed, though another fix is higher."""
        self.assertEqual(findings("0:7.76.1-9.el9", (fix("0:7.76.1-9.el9"), fix("0:7.76.1-10.el9"))), [])
        self.assertEqual(len(findings("0:7.76.1-8.el9", (fix("0:7.76.1-9.el9"), fix("0:7.76.1-10.el9")))), 1)

    def test_extended_only(self) -> None:
        """A record of extended support alone is no finding of other hosts; one that is sold is."""
        self.assertEqual(findings("0:7.76.1-14.el9_0.8", (fix("0:7.76.1-20.el9_1", "eus-9.1"),)), [])
        [found] = findings("0:7.76.1-14.el9", (fix("0:7.76.1-20.el9", "els"),))
        self.assertEqual(found.track, "els")

    def test_settled(self) -> None:
        """A fix that is sold is no finding of a host on which the main line has fixed it, in one record or in two."""
        main, sold = fix("0:1-5.el9"), fix("0:1-9.el9", "els")
        for records in (((main, sold),), ((main,), (sold,)), ((sold,), (main,))):
            self.assertEqual(findings("0:1-7.el9", *records), [])
            self.assertEqual(len(findings("0:1-7.el9", *records, tracks=("els",))), 1)
            self.assertEqual(len(findings("0:1-4.el9", *records)), 1)

    def test_other_arch(self) -> None:
        """A fix of this host's track for another architecture does not hide that of the main line."""
        own = FixedPackage("curl", "0:9-1.el9", "binary", track="eus-9.0", arches=("s390x",))
        [found] = findings("0:7.76.1-14.el9", (own, fix("0:8-1.el9")), tracks=("eus-9.0",))
        self.assertEqual(found.fixed.version, "0:8-1.el9")
