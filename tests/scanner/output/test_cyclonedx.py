"""CycloneDX: all packages, and the vulnerabilities that affect them."""

from __future__ import annotations

from attrs import evolve
from packageurl import PackageURL
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.matching.findings import Ignored
from tests.scanner.output.format_checks import made
from tests.scanner.sample_outcomes import BASH, FINDINGS, KERNEL, outcome


class CycloneDxTests(SynchronousTestCase):
    """CycloneDX."""

    def test_components(self) -> None:
        """Every installed package is a component with its purl; packages that were not judged are marked."""
        components = {each["name"]: each for each in made("cyclonedx", outcome())["components"]}
        self.assertLessEqual({package.name for package in outcome().coverage.packages}, components.keys())
        self.assertEqual(PackageURL.from_string(components["bash"]["purl"]).version, BASH.version)
        marks = {each["name"] for each in components[KERNEL.name]["properties"]}
        self.assertIn("patches:notEvaluated", marks)
        self.assertIn("patches:notCovered", {each["name"] for each in components["docker-ce"]["properties"]})

    def test_references(self) -> None:
        """Everything that a vulnerability affects is a component of the document."""
        document = made("cyclonedx", outcome(with_unfixed=True))
        refs = {each["bom-ref"] for each in document["components"]}
        affected = {target["ref"] for each in document["vulnerabilities"] for target in each["affects"]}
        self.assertLessEqual(affected, refs)
        self.assertEqual(len(affected), 4)

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
