"""Our own JSON format contains everything that is known."""

from __future__ import annotations

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.outcome import ListInfo
from tests.scanner.output.format_checks import made
from tests.scanner.sample_outcomes import CVSS, FINDINGS, SSL, failed, outcome


class OwnFormTests(SynchronousTestCase):
    """Our own JSON."""

    def test_facts(self) -> None:
        """The facts about the scan, the list, the kernels and the packages are included."""
        document = made("json", outcome())
        self.assertEqual(
            (document["verdict"], document["host"], document["platform"]), ("findings", "web-1", "debian-12")
        )
        self.assertEqual((document["started"], document["endOfLife"]), ("2026-01-01T00:00:00Z", "2025-12"))
        self.assertEqual(document["kernels"]["rebootPending"], True)
        self.assertEqual(document["list"]["checked"], "2026-01-01T00:00:00Z")
        self.assertEqual(document["notEvaluated"], {"the listed version is not valid": 3})
        packages = document["packages"]
        self.assertEqual((packages["installed"], packages["affected"], packages["fine"]), (5, 3, 0))
        self.assertEqual([package["name"] for package in packages["notCovered"]], ["docker-ce"])
        self.assertEqual(packages["notEvaluated"][0]["reasons"], ["the listed version is not valid"])

    def test_finding(self) -> None:
        """A finding has the version that was compared, the fix, its records and the decision about it."""
        ssl, _, sudo, kernel = made("json", outcome())["findings"]
        self.assertEqual((ssl["flaw"], ssl["severity"], ssl["fixed"]), ("CVE-2025-9230", "high", "3.0.17-1"))
        self.assertEqual(ssl["package"]["sourceVersion"], SSL.source_version)
        self.assertEqual(ssl["records"][0]["cvss"], FINDINGS[0].records[0].cvss)
        self.assertEqual((ssl["ignored"], ssl["running"]), (None, None))
        self.assertEqual(sudo["ignored"], {"reason": "Nobody but root logs in.", "expires": "2026-03-01"})
        self.assertEqual((kernel["installed"], kernel["running"]), ("6.1.76-1", False))

    def test_enriched(self) -> None:
        """A finding has what is known about its id, with whose the severity is; the list has what it was made with."""
        rated = {"severity_source": "nvd", "cvss": CVSS, "score": 9.7, "kev": "2025-12-01", "epss": 0.9}
        one = evolve(FINDINGS[0], records=(evolve(FINDINGS[0].records[0], **rated),))
        info = ListInfo(19, "r1", enrichments=("cvss", "kev"))
        document = made("json", outcome(findings=(one, FINDINGS[1]), list_info=info))
        found, plain = document["findings"]
        members = ("severity", "severitySource", "cvss", "cvssScore", "kev", "epss")
        self.assertEqual([found[name] for name in members], ["high", "nvd", CVSS, 9.7, "2025-12-01", 0.9])
        self.assertEqual(found["records"][0]["kev"], "2025-12-01")
        self.assertEqual([plain[name] for name in members], ["medium", "debian", None, None, None, None])
        self.assertEqual(document["list"]["enrichments"], ["cvss", "kev"])

    def test_unfixed(self) -> None:
        """Findings without a fix are counted, and always included."""
        for with_unfixed in (False, True):
            shown = made("json", outcome(with_unfixed=with_unfixed))
            statuses = [each["status"] for each in shown["unfixed"]]
            self.assertEqual((statuses, shown["unfixedCount"]), (["will_not_fix", "affected"], 2))

    def test_nothing_is_fine(self) -> None:
        """In an incomplete scan no package is called fine."""
        self.assertIsNone(made("json", failed())["packages"]["fine"])
