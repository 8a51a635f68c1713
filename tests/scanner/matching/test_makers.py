"""Tests for :mod:`patches.scanner.matching.makers`; which packages are foreign is in ``test_coverage.py``."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.platforms import FAMILIES
from patches.scanner.matching.makers import MAKERS, OWN, VERSION_MARKS, is_own, maker_of


class TableTests(SynchronousTestCase):
    """The table of makers."""

    def test_families(self) -> None:
        """Every family with vendors exists."""
        self.assertEqual(set(OWN) - set(FAMILIES), set())

    def test_authority(self) -> None:
        """Each row has a name of its own and an authority."""
        self.assertEqual(len({maker.name for maker in MAKERS}), len(MAKERS))
        for maker in MAKERS:
            self.assertTrue(maker.authority and maker.origin.pattern, maker.name)
        self.assertTrue(all(authority for _, _, authority in VERSION_MARKS))

    def test_own(self) -> None:
        """The distribution's own vendor is never foreign to itself, whatever the table of makers has."""
        for family, prefixes in OWN.items():
            for prefix in prefixes:
                self.assertTrue(is_own(prefix.title(), family))
                self.assertIsNone(maker_of(prefix.title(), "1-1", family), family)

    def test_marks(self) -> None:
        """Versions of the distributions have no mark of another maker."""
        for version in (
            "6.1.119-1",
            "2.36-9+deb12u4+b1",
            "5.15.0-91.101~20.04.1",
            "1:128.10.0+build1-0ubuntu0.22.04.1",
            "0:5.14.0-427.50.2.el9_4",
            "16.3-0ubuntu0.24.04.1",
            "2.0.4+repack-1",
            "1.2.3+popcorn-1",
            "7.76060903-1",
        ):
            self.assertIsNone(maker_of(None, version, "debian"), version)
