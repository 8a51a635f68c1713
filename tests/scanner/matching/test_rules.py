"""Tests for :mod:`patches.scanner.matching.rules`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.inventory import Inventory, Package
from patches.scanner.matching.matcher import Matcher
from patches.scanner.matching.rules import Ruling
from patches.vulnerability import FixedPackage, Vulnerability


class RulingTests(SynchronousTestCase):
    """Every rule, once where it applies."""

    def rulings(
        self, fixed: FixedPackage, version: str = "2-1", scheme: str = "dpkg", module: str | None = None
    ) -> Ruling:
        """Return what is ruled of one package and one range."""
        package = Package("tool", version, "amd64", "tool", version, module=module)
        subject = Matcher(Inventory(scheme, (package,)))
        [(_, _, _, ruling)] = subject.rulings(Vulnerability("CVE-2024-1111", "debian-12", (fixed,)))
        return ruling

    def test_each(self) -> None:
        """The rule is told, and what follows from it."""
        for expected, fixed, more in (
            (Ruling.NO_FIX, FixedPackage("tool", None), {}),
            (Ruling.BELOW_FIX, FixedPackage("tool", "2-2"), {}),
            (Ruling.FIXED, FixedPackage("tool", "2-1"), {}),
            (Ruling.UP_TO_LAST, FixedPackage("tool", None, last_affected="2-1"), {}),
            (Ruling.AFTER_LAST, FixedPackage("tool", None, last_affected="2-0"), {}),
            (Ruling.BEFORE_INTRODUCED, FixedPackage("tool", "3", introduced="2-2"), {}),
            (Ruling.NOT_AFFECTED, FixedPackage("tool", None, status="not_affected"), {}),
            (Ruling.OTHER_ARCH, FixedPackage("tool", "3", arches=("arm64",)), {}),
            (Ruling.OTHER_MODULE, FixedPackage("tool", "3", module="a:1"), {}),
            (Ruling.OTHER_CHANNEL, FixedPackage("tool", "3", channel="esm"), {}),
            (Ruling.INVALID_INSTALLED, FixedPackage("tool", "3"), {"version": "_"}),
            (Ruling.INVALID_LISTED, FixedPackage("tool", "_"), {}),
            (Ruling.OWN_FIXES, FixedPackage("tool", "3"), {"version": "2-1.fips"}),
            (Ruling.NO_ORDER, FixedPackage("tool", "3"), {"scheme": "other"}),
            (Ruling.STREAM, FixedPackage("tool", "3.module+el8"), {"scheme": "rpm", "module": "a:1:2:3"}),
        ):
            self.assertIs(self.rulings(fixed, **more), expected, expected)  # type: ignore[arg-type]

    def test_words(self) -> None:
        """Each rule has words of its own."""
        texts = [ruling.text for ruling in Ruling]
        self.assertEqual(len(set(texts)), len(texts))
        self.assertTrue(all(text and text[0].islower() for text in texts))
