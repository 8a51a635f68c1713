"""Findings: one for each vulnerability and package, however many records match."""

from __future__ import annotations

from datetime import date

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.inventory import Package
from patches.scanner.matching.findings import Finding, Findings, Ignored
from patches.scanner.matching.ignores import Ignore, Ignores
from patches.scanner.matching.matcher import Match
from patches.vulnerability import Facts, FixedPackage, Severity, Vulnerability

SSL = Package("libssl3", "3.0.11-1", "amd64", "openssl", "3.0.11-1")
TOOL = Package("openssl", "3.0.11-1", "amd64", "openssl", "3.0.11-1")


def record(name: str, *aliases: str, source: str = "debian", severity: Severity = Severity.LOW) -> Vulnerability:
    """Return a record."""
    return Vulnerability(name, "debian-12", (), severity, f"https://{source}/{name}", aliases, source)


def findings(*matches: tuple[Vulnerability, Package, str | None]) -> list[Finding]:
    """Return the findings of matches between records, packages and fixes."""
    subject = Findings("dpkg")
    for vulnerability, package, version in matches:
        subject.add(Match(vulnerability, package, FixedPackage("openssl", version)))
    return subject.all({})


class FindingsTests(SynchronousTestCase):
    """Matches, joined to findings."""

    def test_one(self) -> None:
        """A CVE, the advisory that fixes it, and the record of another source are one finding with all their names."""
        cve = record("CVE-2024-1111", severity=Severity.LOW)
        dsa = record("DSA-1-1", "CVE-2024-1111", severity=Severity.HIGH)
        other = record("CVE-2024-1111", source="osv")
        [found] = findings((dsa, SSL, "3.0.12-1"), (cve, SSL, "3.0.13-1"), (other, SSL, None))
        self.assertEqual(
            (found.vulnerability_id, found.package, found.fixed.version), ("CVE-2024-1111", SSL, "3.0.13-1")
        )
        self.assertEqual(found.records, (cve, other, dsa))
        self.assertEqual((found.sources, found.severity), (("debian", "osv"), Severity.HIGH))
        self.assertEqual(found.names, ("CVE-2024-1111", "DSA-1-1"))

    def test_facts(self) -> None:
        """A finding has the worst of its records: of an advisory, what is known about its own id only."""
        known = Facts(Severity.MEDIUM, "nvd", "CVSS:3.1/AV:N", 6.5, "2024-02-02", 0.3)
        other = Facts(Severity.CRITICAL, "cna", "CVSS:3.1/AV:L", 9.8, "2024-01-01", 0.9)
        dsa = evolve(
            record("DSA-1-1", "CVE-2024-1111", "CVE-2024-2222", severity=Severity.CRITICAL),
            severity_source="cna",
            kev="2024-01-01",
            epss=0.9,
            facts=(("CVE-2024-1111", known), ("CVE-2024-2222", other)),
        )
        own = evolve(record("CVE-2024-1111", source="osv"), score=5.0, cvss="CVSS:3.1/AV:A", kev="2024-02-03")
        first, second = findings((dsa, SSL, "3.0.12-1"), (own, SSL, "3.0.12-1"))
        self.assertEqual((first.vulnerability_id, first.facts), ("CVE-2024-2222", other))
        self.assertEqual((second.vulnerability_id, second.facts), ("CVE-2024-1111", known))

    def test_severity_source(self) -> None:
        """A severity is that of the record that has it, by its source or by who has rated the record."""
        low = record("CVE-2024-1111", source="osv")
        unknown = evolve(record("DSA-1-1", "CVE-2024-1111"), severity=Severity.UNKNOWN)
        filled = evolve(unknown, severity=Severity.HIGH, severity_source="nvd")
        for records, expected in (((low, unknown), "osv"), ((low, filled), "nvd"), ((unknown,), None)):
            [found] = findings(*((each, SSL, "3.0.12-1") for each in records))
            self.assertEqual(found.severity_source, expected)

    def test_advisory(self) -> None:
        """An advisory about several vulnerabilities is one finding for each of them and each package."""
        dsa = record("DSA-1-1", "CVE-2024-2222", "CVE-2024-1111")
        found = findings((dsa, SSL, "9"), (dsa, TOOL, "9"))
        expected = [("CVE-2024-1111", SSL), ("CVE-2024-2222", SSL), ("CVE-2024-1111", TOOL), ("CVE-2024-2222", TOOL)]
        self.assertEqual([(each.vulnerability_id, each.package) for each in found], expected)
        self.assertEqual(found[0].names, ("CVE-2024-1111", "DSA-1-1"))

    def test_highest_fix(self) -> None:
        """Of several fixes the highest in version order counts; a record without a fix does not hide it."""
        versions = ("3.0.9-1", "3.0.12-1", None, "not a version", "3.0.11-9")
        [found] = findings(*((record("CVE-2024-1111", source=str(n)), SSL, v) for n, v in enumerate(versions)))
        self.assertEqual(found.fixed.version, "3.0.12-1")

    def test_order(self) -> None:
        """The most severe findings are first, then they are ordered by package and vulnerability."""
        low, high = record("CVE-2024-1111"), record("CVE-2024-2222", severity=Severity.HIGH)
        found = findings((low, TOOL, "9"), (low, SSL, "9"), (high, TOOL, "9"))
        expected = [("openssl", "CVE-2024-2222"), ("libssl3", "CVE-2024-1111"), ("openssl", "CVE-2024-1111")]
        self.assertEqual([(each.package.name, each.vulnerability_id) for each in found], expected)

    def test_running(self) -> None:
        """The finding of a kernel's package says whether that kernel is running; other findings do not."""
        subject = Findings("dpkg")
        for package in (SSL, TOOL):
            subject.add(Match(record("CVE-2024-1111"), package, FixedPackage("openssl", "9")))
        self.assertEqual([each.running for each in subject.all({SSL: False})], [False, None])


class IgnoreTests(SynchronousTestCase):
    """The findings to which a decision applies, and for how long."""

    def test_concerns(self) -> None:
        """A decision may name a vulnerability by any name, a package by its own name or its source's, or both."""
        dsa = record("DSA-1-1", "CVE-2024-1111")
        [found] = findings((dsa, SSL, "9"))
        for vulnerability_id, package, expected in (
            ("CVE-2024-1111", None, True),
            ("DSA-1-1", None, True),
            (None, "libssl3", True),
            (None, "openssl", True),
            ("CVE-2024-1111", "libssl3", True),
            ("CVE-2024-1111", "bash", False),
            ("CVE-2024-2222", "libssl3", False),
            ("CVE-2024-111", None, False),
        ):
            self.assertIs(
                Ignore(vulnerability_id, package, "why", None).concerns(found), expected, (vulnerability_id, package)
            )

    def test_expiry(self) -> None:
        """On the day on which it expires a decision is not valid, and a later one may apply."""
        [found] = findings((record("CVE-2024-1111"), SSL, "9"))
        end = date(2026, 12, 1)
        subject = Ignores((Ignore("CVE-2024-1111", None, "until the next release", end),))
        self.assertEqual(subject.of(found, date(2026, 11, 30)), Ignored("until the next release", end))
        self.assertIsNone(subject.of(found, end))
        both = Ignores((*subject.decisions, Ignore(None, "openssl", "not reachable", None)))
        self.assertEqual(both.of(found, end), Ignored("not reachable", None))
