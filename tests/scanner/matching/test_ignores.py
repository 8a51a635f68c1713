"""Tests for :mod:`patches.scanner.matching.ignores`."""

from __future__ import annotations

from datetime import date

from packageurl import PackageURL
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.inventory import Package
from patches.scanner.matching.findings import Finding, Ignored
from patches.scanner.matching.ignores import Ignore, Ignores
from patches.vulnerability import FixedPackage, Vulnerability

SSL = Package("libssl3", "3.0.11-1", "amd64", "openssl", "3.0.11-1")
ADVISORY = Vulnerability("DSA-1-1", "debian-12", (), aliases=("CVE-2024-1111", "CVE-2024-2222"))
FOUND = Finding("CVE-2024-1111", SSL, FixedPackage("openssl", "9"), (ADVISORY,))
DAY = date(2026, 11, 26)


class IgnoreTests(SynchronousTestCase):
    """One decision."""

    def test_names(self) -> None:
        """A decision about an advisory applies to each of its vulnerabilities, unless only the exact name is meant."""
        for vulnerability_id, alias, expected in (
            ("CVE-2024-1111", False, True),
            ("CVE-2024-1111", True, True),
            ("DSA-1-1", False, True),
            ("DSA-1-1", True, False),
            ("CVE-2024-2222", False, False),
        ):
            self.assertIs(
                Ignore(vulnerability_id, None, "why", None, alias=alias).concerns(FOUND),
                expected,
                (vulnerability_id, alias),
            )

    def test_all_must_fit(self) -> None:
        """Vulnerability, package and product must match if they are given; a decision without them matches all."""
        right, wrong = PackageURL("deb", "debian", "libssl3"), PackageURL("deb", "debian", "bash")
        for vulnerability_id, package, product, expected in (
            (None, None, None, True),
            (None, None, right, True),
            (None, None, wrong, False),
            ("CVE-2024-1111", "openssl", right, True),
            ("CVE-2024-9999", "openssl", right, False),
            ("CVE-2024-1111", "bash", right, False),
            ("CVE-2024-1111", "openssl", wrong, False),
        ):
            self.assertIs(Ignore(vulnerability_id, package, "why", None, product).concerns(FOUND), expected)

    def test_expired(self) -> None:
        """A decision is valid until the day before it expires."""
        for expires, expected in ((None, False), (date(2026, 11, 27), False), (DAY, True), (date(2026, 11, 25), True)):
            self.assertIs(Ignore(None, None, "why", expires).has_expired(DAY), expected)


class IgnoresTests(SynchronousTestCase):
    """Several decisions."""

    def test_first(self) -> None:
        """The first valid decision counts with all its values; expired ones are skipped and counted."""
        old = Ignore(None, None, "old", date(2020, 1, 1))
        one = Ignore(None, "openssl", "one", None, status="not_affected", justification="component_not_present")
        two = Ignore(None, None, "two", None)
        subject = Ignores((old, one, two))
        self.assertEqual(subject.of(FOUND, DAY), Ignored("one", None, "not_affected", "component_not_present"))
        self.assertEqual(subject.expired(DAY), 1)
        self.assertEqual((Ignores().of(FOUND, DAY), Ignores().expired(DAY)), (None, 0))

    def test_note(self) -> None:
        """Statements that are no decision are counted in a note."""
        self.assertIsNone(Ignores().note())
        for count, said in (
            (1, "1 statement of the VEX document names no"),
            (2, "2 statements of the VEX document name no"),
        ):
            self.assertIn(said, str(Ignores(unidentified=count).note()))
