"""Tests for :mod:`patches.scanner.output.cyclonedx_vulnerabilities`."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.matching.findings import Finding, Ignored
from patches.scanner.matching.purls import PurlTexts
from patches.scanner.outcome import Outcome
from patches.scanner.output.cyclonedx_vulnerabilities import vulnerabilities_of
from patches.vulnerability import Facts, FixedPackage, Severity
from tests.scanner.output.format_checks import made
from tests.scanner.sample_outcomes import CVSS, FINDINGS, SSL, SUDO, finding, outcome, record


class VulnerabilityTests(SynchronousTestCase):
    """The objects of the document."""

    def all(self, of: Outcome) -> list[Any]:
        """Return the vulnerabilities of an outcome."""
        return list(vulnerabilities_of(of, PurlTexts(of.platform, of.coverage.scheme)))

    def only(self, *findings: Finding) -> Any:
        """Return the only vulnerability of an outcome."""
        (vulnerability,) = self.all(outcome(findings=findings))
        return vulnerability

    def told(self, severity: Severity = Severity.HIGH, **more: Any) -> Any:
        """Return the vulnerability of one record."""
        told = record("CVE-2025-1", severity, **more)
        return self.only(Finding("CVE-2025-1", SSL, FixedPackage("openssl", "2"), (told,)))

    def test_none(self) -> None:
        """Without findings there are no vulnerabilities; those without a fix are there if they are shown."""
        self.assertEqual(self.all(outcome(findings=())), [])
        shown = [each["id"] for each in self.all(outcome(findings=(), with_unfixed=True))]
        self.assertEqual(shown, ["CVE-2026-3000", "CVE-2026-4000"])

    def test_grouped(self) -> None:
        """The packages of one vulnerability id are its targets; references are unique."""
        first, second = self.all(
            outcome(findings=(FINDINGS[0], FINDINGS[1], evolve(FINDINGS[0], vulnerability_id="CVE-2025-2")))
        )
        self.assertEqual(
            [(each["id"], len(each["affects"])) for each in (first, second)], [("CVE-2025-2", 1), ("CVE-2025-9230", 2)]
        )
        self.assertNotEqual(first["bom-ref"], second["bom-ref"])

    def test_severities(self) -> None:
        """Every severity has an equivalent."""
        names = {severity: self.told(severity)["ratings"][0]["severity"] for severity in Severity}
        self.assertEqual(names[Severity.URGENT], names[Severity.CRITICAL])
        self.assertEqual(len(set(names.values())), len(Severity) - 1)

    def test_enriched(self) -> None:
        """A rating that an enriching source has filled is its own; each id of an advisory has the rating of that id."""
        (rating,) = self.told(severity_source="nvd", cvss=CVSS, score=9.7)["ratings"]
        self.assertEqual((rating["source"], rating["score"], rating["method"]), ({"name": "nvd"}, 9.7, "CVSSv31"))
        low, high = Facts(Severity.LOW, "cna", CVSS, 2.5), Facts(Severity.HIGH, "nvd", CVSS, 8.1)
        facts = (("CVE-2025-1", low), ("CVE-2025-2", high))
        told = record("DSA-1", Severity.HIGH, severity_source="nvd", cvss=CVSS, score=8.1, facts=facts)
        (rating,) = self.only(Finding("CVE-2025-1", SSL, FixedPackage("openssl", "2"), (told,)))["ratings"]
        self.assertEqual((rating["source"], rating["score"], rating["severity"]), ({"name": "cna"}, 2.5, "low"))

    def test_scores(self) -> None:
        """A rating without a valid vector has neither score, method nor vector."""
        for text, score in ((CVSS, 9.8), ("nonsense", None), (None, None)):
            (rating,) = self.told(cvss=text)["ratings"]
            self.assertEqual(rating.get("score"), score)
            self.assertEqual(
                ("method" in rating, rating.get("vector")),
                (score is not None, CVSS.partition("/")[2] if score else None),
            )

    def test_times(self) -> None:
        """A time without an offset is in UTC; an invalid one is absent."""
        expected = "2026-01-02T03:04:05+00:00"
        for text, time in (
            ("2026-01-02T03:04:05Z", expected),
            ("2026-01-02T04:04:05+01:00", "2026-01-02T04:04:05+01:00"),
            ("2026-01-02T03:04:05", expected),
            ("soon", None),
            (None, None),
        ):
            self.assertEqual(self.told(published=text).get("published"), time)

    def test_names(self) -> None:
        """The other names of a vulnerability are references, each with its source; without a source there are none."""
        named = self.told(aliases=("DSA-1-1", "CVE-2025-1"))
        self.assertEqual(named["references"], [{"id": "DSA-1-1", "source": {"name": "debian"}}])
        bare = self.told(aliases=("DSA-1-1",), source="")
        self.assertEqual({"references", "source"} & bare.keys(), set())

    def test_statuses(self) -> None:
        """A target is unaffected if a decision says that it is not affected or fixed."""
        for status, expected in (("affected", "affected"), ("not_affected", "unaffected"), ("fixed", "unaffected")):
            ignored = Ignored("It is so.", None, status=status)
            found = self.only(finding("CVE-2025-1", SUDO, FixedPackage("sudo", "2"), Severity.LOW, ignored=ignored))
            (target,) = found["affects"]
            self.assertEqual(target["versions"], [{"version": SUDO.version, "status": expected}])

    def test_no_equivalent(self) -> None:
        """A justification without an equivalent is in the text only."""
        reason = "vulnerable_code_cannot_be_controlled_by_adversary"
        ignored = Ignored("It is so.", None, status="not_affected", justification=reason)
        analysis = self.only(evolve(FINDINGS[1], ignored=ignored))["analysis"]
        self.assertNotIn("justification", analysis)
        self.assertIn(f"({reason})", analysis["detail"])


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
