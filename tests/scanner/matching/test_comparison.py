"""Tests for :mod:`patches.scanner.matching.comparison`; each rule is in ``test_rules.py``."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.matching.comparison import FixComparison, dist_tag
from patches.vulnerability import FixedPackage


class ComparisonTests(SynchronousTestCase):
    """The order of fixes, and builds that are equal to a fix."""

    def test_order(self) -> None:
        """Fixed versions are ordered as the native tool does; one that is missing or not valid is the lowest."""
        order = FixComparison("rpm").order
        versions = ["0:1-2.el9", "0:1-10.el9", "1:0-1", None, ""]
        self.assertEqual(sorted(versions, key=order)[2:], ["0:1-2.el9", "0:1-10.el9", "1:0-1"])
        self.assertEqual(FixComparison("dpkg").order("_"), (False, ()))
        self.assertEqual(FixComparison("other").order("1"), (False, ()))

    def test_same(self) -> None:
        """A build is equal to a fix by the native order; source rpms are compared without the epoch."""
        for scheme, fixed, installed, expected in (
            ("rpm", FixedPackage("curl", "7-1", "binary"), "0:7-1", True),
            ("rpm", FixedPackage("curl", "1:7-1", "binary"), "0:7-1", False),
            ("rpm", FixedPackage("curl", "1:7-1", "source"), "7-1", True),
            ("dpkg", FixedPackage("curl", "7-1"), "7-1", True),
            ("dpkg", FixedPackage("curl", "7-1"), "7-1+b1", False),
            ("dpkg", FixedPackage("curl", None), "7-1", False),
        ):
            self.assertIs(FixComparison(scheme).is_same(fixed, installed), expected, (fixed, installed))

    def test_dist_tag(self) -> None:
        """A build for one minor release has its number in the dist tag."""
        for version, expected in (
            ("0:5.14.0-427.50.2.el9_4", "9_4"),
            ("0:4.18.0-553.el8_10", "8_10"),
            ("0:1-1.module+el8.6.0+1.el8_6", "8_6"),
            ("0:1-1.el9", None),
            ("6.1.76-1", None),
            (None, None),
        ):
            self.assertEqual(dist_tag(version), expected)
