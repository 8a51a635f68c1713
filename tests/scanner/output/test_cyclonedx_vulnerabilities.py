"""Tests for :mod:`patches.scanner.output.cyclonedx_vulnerabilities`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from attrs import evolve
from cyclonedx.model.vulnerability import Vulnerability
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.matching.findings import Finding, Ignored
from patches.scanner.output.cyclonedx_vulnerabilities import vulnerabilities_of
from patches.vulnerability import FixedPackage, Severity
from tests.scanner.output.format_checks import made
from tests.scanner.sample_outcomes import CVSS, FINDINGS, SSL, SUDO, finding, outcome, record


class VulnerabilityTests(SynchronousTestCase):
    """The objects of the library."""

    def only(self, *findings: Finding) -> Vulnerability:
        """Return the only vulnerability of an outcome."""
        (vulnerability,) = vulnerabilities_of(outcome(findings=findings))
        return vulnerability

    def told(self, severity: Severity = Severity.HIGH, **more: Any) -> Vulnerability:
        """Return the vulnerability of one record."""
        told = record("CVE-2025-1", severity, **more)
        return self.only(Finding("CVE-2025-1", SSL, FixedPackage("openssl", "2"), (told,)))

    def test_none(self) -> None:
        """Without findings there are no vulnerabilities; those without a fix are there if they are shown."""
        self.assertEqual(list(vulnerabilities_of(outcome(findings=()))), [])
        shown = [each.id for each in vulnerabilities_of(outcome(findings=(), with_unfixed=True))]
        self.assertEqual(shown, ["CVE-2026-3000", "CVE-2026-4000"])

    def test_grouped(self) -> None:
        """The packages of one vulnerability id are its targets; references are unique."""
        first, second = vulnerabilities_of(
            outcome(findings=(FINDINGS[0], FINDINGS[1], evolve(FINDINGS[0], vulnerability_id="CVE-2025-2")))
        )
        self.assertEqual(
            (first.id, len(first.affects), second.id, len(second.affects)), ("CVE-2025-9230", 2, "CVE-2025-2", 1)
        )
        self.assertNotEqual(first.bom_ref.value, second.bom_ref.value)

    def test_severities(self) -> None:
        """Every severity has an equivalent."""
        names = {severity: next(iter(self.told(severity).ratings)).severity for severity in Severity}
        self.assertEqual(names[Severity.URGENT], names[Severity.CRITICAL])
        self.assertEqual(len(set(names.values())), len(Severity) - 1)

    def test_scores(self) -> None:
        """A rating without a valid vector has neither score, method nor vector."""
        for text, score in ((CVSS, 9.8), ("nonsense", None), (None, None)):
            (rating,) = self.told(cvss=text).ratings
            self.assertEqual(rating.score and float(rating.score), score)
            self.assertEqual(
                (rating.method is None, rating.vector), (score is None, CVSS.partition("/")[2] if score else None)
            )

    def test_times(self) -> None:
        """A time without an offset is in UTC; an invalid one is absent."""
        expected = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
        for text, time in (
            ("2026-01-02T03:04:05Z", expected),
            ("2026-01-02T04:04:05+01:00", expected),
            ("2026-01-02T03:04:05", expected),
            ("soon", None),
            (None, None),
        ):
            self.assertEqual(self.told(published=text).published, time)

    def test_names(self) -> None:
        """The other names of a vulnerability are references, each with its source; without a source there are none."""
        named = self.told(aliases=("DSA-1-1", "CVE-2025-1"))
        self.assertEqual(
            [(each.id, each.source and each.source.name) for each in named.references], [("DSA-1-1", "debian")]
        )
        bare = self.told(aliases=("DSA-1-1",), source="")
        self.assertEqual((list(bare.references), bare.source), ([], None))

    def test_statuses(self) -> None:
        """A target is unaffected if a decision says that it is not affected or fixed."""
        for status, expected in (("affected", "affected"), ("not_affected", "unaffected"), ("fixed", "unaffected")):
            ignored = Ignored("It is so.", None, status=status)
            found = self.only(finding("CVE-2025-1", SUDO, FixedPackage("sudo", "2"), Severity.LOW, ignored=ignored))
            (target,) = found.affects
            (version,) = target.versions
            self.assertEqual((version.version, version.status and version.status.value), (SUDO.version, expected))

    def test_no_equivalent(self) -> None:
        """A justification without an equivalent is in the text only."""
        reason = "vulnerable_code_cannot_be_controlled_by_adversary"
        ignored = Ignored("It is so.", None, status="not_affected", justification=reason)
        analysis = self.only(evolve(FINDINGS[1], ignored=ignored)).analysis
        assert analysis is not None
        self.assertIsNone(analysis.justification)
        self.assertIn(f"({reason})", analysis.detail or "")


class DocumentTests(SynchronousTestCase):
    """Vulnerabilities in a document."""

    def test_ratings(self) -> None:
        """A rating has the severity of its source, and the score of its vector."""
        flaws = {each["id"]: each for each in made("cyclonedx", outcome(with_unfixed=True))["vulnerabilities"]}
        scores = [(each["severity"], each.get("score")) for each in flaws["CVE-2025-9230"]["ratings"]]
        self.assertEqual(sorted(scores, key=str), [("high", 9.8), ("medium", None)])
        self.assertEqual(flaws["CVE-2026-3000"]["ratings"][0]["severity"], "info")

    def test_analysis(self) -> None:
        """A decision is an analysis: an accepted risk is still exploitable, and a VEX statement keeps its status."""
        flaws = {each["id"]: each for each in made("cyclonedx", outcome())["vulnerabilities"]}
        self.assertNotIn("analysis", flaws["CVE-2025-9230"])
        accepted = flaws["CVE-2026-1000"]["analysis"]
        self.assertEqual((accepted["state"], accepted["response"]), ("exploitable", ["will_not_fix"]))
        self.assertIn("until 2026-03-01: Nobody", accepted["detail"])
        settled = flaws["CVE-2026-2000"]["analysis"]
        self.assertEqual((settled["state"], settled["justification"]), ("not_affected", "code_not_reachable"))

    def test_two_decisions(self) -> None:
        """A vulnerability that is ignored in one package and not in another appears twice."""
        both = (FINDINGS[0], evolve(FINDINGS[1], ignored=Ignored("It is fine.", None)))
        document = made("cyclonedx", outcome(findings=both))
        self.assertEqual([each["id"] for each in document["vulnerabilities"]], ["CVE-2025-9230"] * 2)
        self.assertEqual(["analysis" in each for each in document["vulnerabilities"]].count(True), 1)
