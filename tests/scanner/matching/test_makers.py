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
        self.assertTrue(all(row[3] for row in VERSION_MARKS))

    def test_own(self) -> None:
        """The distribution's own vendor is never foreign to itself, whatever the table of makers has."""
        for family, prefixes in OWN.items():
            for prefix in prefixes:
                self.assertTrue(is_own(prefix.title(), family))
                self.assertIsNone(maker_of(prefix.title(), "1-1", family), family)

    def test_words(self) -> None:
        """A maker's name is a whole word of an origin: a longer word that begins alike is another name."""
        unknown = ("Operations Mirror", "AMD64 mirror", "Intelligence GmbH", "Artifactory", "Braveheart", "Slackers")
        for origin in unknown:
            self.assertIsNone(maker_of(origin, "1-1", "debian"), origin)
        for origin in ("Opera Software", "Intel", "AMD", "Elasticsearch", "Docker CE", "NGINX Packaging <x>"):
            self.assertIsNotNone(maker_of(origin, "1-1", "debian"), origin)

    def test_several_origins(self) -> None:
        """A package that several repositories offer is foreign if all of them are."""
        self.assertEqual(maker_of("Docker; microsoft-prod", "1-1", "debian"), "Docker")
        self.assertIsNone(maker_of("ACME mirror; Docker", "1-1", "debian"))

    def test_named_alike(self) -> None:
        """Projects whose names begin like a distribution's own are foreign to it."""
        for origin, family in (("Oracle and/or its affiliates", "oracle"), ("Fedora Copr - user someone", "fedora")):
            self.assertIsNotNone(maker_of(origin, "1-1", family))
        self.assertIsNone(maker_of("Oracle America", "1-1", "oracle"))

    def test_real_marks(self) -> None:
        """Versions as these makers publish them are foreign without an origin."""
        for version in (
            "18.18.2-1nodesource1",
            "2:18.20.0-1nodesource",
            "8.2.10-2+0~20230926.20+debian12~1.gbp6f62e1",
            "1:10.11.2+maria~deb12",
            "1.20.1-1~bookworm",
            "1:1.24.0-1.el9.ngx",
            "16.3-1PGDG.rhel9",
        ):
            self.assertIsNotNone(maker_of(None, version, "debian"), version)
        for version in ("1.0+pop3", "2.pop1", "6.9.3-76060903.202405300957~1726766035~22.04~4092a0e"):
            self.assertIsNone(maker_of(None, version, "debian"), version)

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
