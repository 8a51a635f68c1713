"""The findings of others for the same packages and data: Trivy in its own integration tests, and osv.dev."""

from __future__ import annotations

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.inventory import Inventory, Package
from patches.scanner.matching.findings import Findings
from patches.scanner.matching.matcher import Matcher
from patches.sources.osv.ecosystems import ECOSYSTEMS
from patches.vulnerability import FixedPackage, Vulnerability
from tests.shared_data import shared
from tests.sources.osv.real_feeds import real_feed

ATTRIBUTES = ("name", "version", "arch", "source", "source_version")


class TrivyTests(SynchronousTestCase):
    """Each case is an inventory, the records about it, and Trivy's findings."""

    def test_golden(self) -> None:
        """The findings and fixes are the same; an epoch of 0 may be written or not."""
        cases = json.loads(shared("data/oracles/trivy-golden.json").read_text())
        for case in cases:
            expected = {(row["id"], row["package"], _bare(row["fixed"])) for row in case["expected"]}
            self.assertEqual(self.findings(case), expected, case["case"])
        self.assertEqual((len(cases), sum(len(case["expected"]) for case in cases)), (8, 21))

    def findings(self, case: dict[str, Any]) -> set[tuple[str, str, str | None]]:
        """Return the findings as vulnerability, package and fix."""
        packages = tuple(Package(*(row[name] for name in ATTRIBUTES)) for row in case["inventory"])
        matcher = Matcher(Inventory(case["format"], packages))
        findings = Findings(case["format"])
        for row in case["vulnerabilities"]:
            fixed = FixedPackage(row["package"], row["fixed"], case["match_by"])
            for match in matcher.match(Vulnerability(row["id"], "any", (fixed,))):
                findings.add(match)
        self.assertEqual(matcher.not_evaluated.total(), 0)
        return {(found.vulnerability_id, found.package.name, _bare(found.fixed.version)) for found in findings.all({})}


def _bare(version: str | None) -> str | None:
    return version.removeprefix("0:") if version else version


class OsvDevTests(SynchronousTestCase):
    """The answers of api.osv.dev for a package and a version, if they contain records of our feeds."""

    FEEDS = ("Alpine", "Debian", "Ubuntu")

    def test_recorded(self) -> None:
        """No record of our feed about this package in this release is missed."""
        asked = json.loads(shared("data/oracles/osvdev-recorded.json").read_text())
        listed: dict[str, list[Vulnerability]] = {}
        for feed in self.FEEDS:
            for each in real_feed(feed).vulnerabilities:
                listed.setdefault(each.platform, []).append(each)
        compared = 0
        for row in asked:
            place = ECOSYSTEMS.place(row["ecosystem"].removesuffix(":LTS"))
            if isinstance(place, str) or place.platform not in listed:
                continue
            concerned = [each for each in listed[place.platform] if names_source(each, row["package"])]
            known = {name for each in concerned for name in (each.name, *each.aliases)}
            package = Package(row["package"], row["version"], "x86_64", row["package"], row["version"])
            matcher = Matcher(Inventory(place.ecosystem.scheme, (package,)))
            found = {name for each in concerned for _ in matcher.match(each) for name in (each.name, *each.aliases)}
            due = set(row["osv_dev_ids"]) & known
            self.assertEqual((due - found, matcher.not_evaluated.total()), (set(), 0), row)
            compared += len(due)
        self.assertEqual(compared, 9)


def names_source(vulnerability: Vulnerability, name: str) -> bool:
    """Return whether a vulnerability is about a source package."""
    return any(fixed.name == name for fixed in vulnerability.fixed_in)
