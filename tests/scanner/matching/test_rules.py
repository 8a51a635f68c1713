"""Tests for :mod:`patches.scanner.matching.rules`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.inventory import Inventory, Package
from patches.scanner.matching.matcher import Matcher
from patches.scanner.matching.rules import Rule
from patches.vulnerability import FixedPackage, Vulnerability


class RulingTests(SynchronousTestCase):
    """Every rule, once where it applies."""

    def rules(self, fixed: FixedPackage, version: str = "2-1", scheme: str = "dpkg", module: str | None = None) -> Rule:
        """Return the rule for one package and one range."""
        package = Package("tool", version, "amd64", "tool", version, module=module)
        subject = Matcher(Inventory(scheme, (package,)))
        [judgement] = subject.judgements(Vulnerability("CVE-2024-1111", "debian-12", (fixed,)))
        return judgement.rule

    def test_each(self) -> None:
        """The rule is returned, with its consequence."""
        for expected, fixed, more in (
            (Rule.NO_FIX, FixedPackage("tool", None), {}),
            (Rule.BELOW_FIX, FixedPackage("tool", "2-2"), {}),
            (Rule.FIXED, FixedPackage("tool", "2-1"), {}),
            (Rule.UP_TO_LAST, FixedPackage("tool", None, last_affected="2-1"), {}),
            (Rule.AFTER_LAST, FixedPackage("tool", None, last_affected="2-0"), {}),
            (Rule.BEFORE_INTRODUCED, FixedPackage("tool", "3", introduced="2-2"), {}),
            (Rule.NOT_AFFECTED, FixedPackage("tool", None, status="not_affected"), {}),
            (Rule.OTHER_ARCH, FixedPackage("tool", "3", arches=("arm64",)), {}),
            (Rule.OTHER_MODULE, FixedPackage("tool", "3", module="a:1"), {}),
            (Rule.OTHER_TRACK, FixedPackage("tool", "3", track="ksplice"), {}),
            (Rule.OTHER_TRACK, FixedPackage("tool", "3"), {"version": "2-1.fips"}),
            (Rule.BELOW_FIX, FixedPackage("tool", "3.fips"), {"version": "2-1.fips"}),
            (Rule.UNREADABLE, FixedPackage("tool", None, status="unreadable"), {}),
            (Rule.INVALID_INSTALLED, FixedPackage("tool", "3"), {"version": "_"}),
            (Rule.INVALID_LISTED, FixedPackage("tool", "_"), {}),
            (Rule.NO_ORDER, FixedPackage("tool", "3"), {"scheme": "other"}),
            (Rule.STREAM, FixedPackage("tool", "3.module+el8"), {"scheme": "rpm", "module": "a:1:2:3"}),
        ):
            self.assertIs(self.rules(fixed, **more), expected, expected)  # type: ignore[arg-type]

    def test_words(self) -> None:
        """Each rule has its own text."""
        texts = [rule.text for rule in Rule]
        self.assertEqual(len(set(texts)), len(texts))
        self.assertTrue(all(text and text[0].islower() for text in texts))
