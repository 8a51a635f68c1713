"""What other scanners found on the same packages with the same data: Trivy, in its own integration tests."""

from __future__ import annotations

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.findings import Findings
from patches.scanner.inventory import Inventory, Package
from patches.scanner.matcher import Matcher
from patches.vulnerability import FixedPackage, Vulnerability
from tests.shared import shared

ATTRIBUTES = ("name", "version", "arch", "source", "source_version")


class TrivyTests(SynchronousTestCase):
    """Each case is an inventory, the records that concern it, and Trivy's findings."""

    def test_golden(self) -> None:
        """The same findings come out, with the same fixes; an epoch of 0 may be written or not."""
        cases = json.loads(shared("data/oracles/trivy-golden.json").read_text())
        for case in cases:
            expected = {(row["id"], row["package"], _bare(row["fixed"])) for row in case["expected"]}
            self.assertEqual(self.findings(case), expected, case["case"])
        self.assertEqual((len(cases), sum(len(case["expected"]) for case in cases)), (8, 21))

    def findings(self, case: dict[str, Any]) -> set[tuple[str, str, str | None]]:
        """Give the findings as flaw, package and fix."""
        packages = tuple(Package(*(row[name] for name in ATTRIBUTES)) for row in case["inventory"])
        matcher = Matcher(Inventory(case["format"], packages))
        findings = Findings(case["format"])
        for row in case["vulnerabilities"]:
            fixed = FixedPackage(row["package"], row["fixed"], case["match_by"])
            for match in matcher.match(Vulnerability(row["id"], "any", (fixed,))):
                findings.add(match)
        self.assertEqual(matcher.not_evaluated.total(), 0)
        return {(found.flaw, found.package.name, _bare(found.fixed.version)) for found in findings.all({})}


def _bare(version: str | None) -> str | None:
    return version.removeprefix("0:") if version else version
