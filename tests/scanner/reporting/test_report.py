"""Tests for :mod:`patches.scanner.reporting.report`."""

from __future__ import annotations

import json

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.json_pieces import json_pieces
from patches.scanner.outcome import Verdict
from patches.scanner.reporting.report import finding_document, report_document, streamed_report
from patches.vulnerability import Facts, Severity
from patches.wire import from_wire
from tests.scanner.sample_outcomes import FINDINGS, FOREIGN, SCAN_ID, UNFIXED, failed, outcome


class ReportTests(SynchronousTestCase):
    """The report of a scan."""

    def test_counts(self) -> None:
        """Ignored findings are only counted; so are those without a fix, unless they are to be shown."""
        for shown, findings, unfixed in ((False, 2, 2), (True, 4, 0)):
            document = report_document(outcome(with_unfixed=shown), 7)
            scan = document["scan"]
            self.assertEqual((len(document["vulnerabilities"]), scan["findings"]), (findings, findings))
            self.assertEqual((scan["ignored"], scan["unfixed"], scan["number"], scan["id"]), (2, unfixed, 7, SCAN_ID))

    def test_facts(self) -> None:
        """The report contains which list was compared, when, and with which verdict."""
        document = report_document(outcome(), 1)
        self.assertEqual((document["host"], document["platform"]), ("web-1", "debian-12"))
        scan = document["scan"]
        self.assertEqual((scan["verdict"], scan["complete"], scan["problem"]), ("findings", True, None))
        self.assertEqual((scan["revision"], scan["digest"], scan["served"]), ("r1", "d1", 19))
        self.assertEqual((scan["started"], scan["finished"]), ("2026-01-01T00:00:00Z", "2026-01-01T00:00:02Z"))
        self.assertEqual(scan["notEvaluated"], {"the listed version is not valid": 3})
        self.assertEqual(scan["endOfLife"], "2025-12")

    def test_unjudged(self) -> None:
        """The report has the numbers of unjudged packages by reason, and the records that name one; no package."""
        records = {"CVE-2026-5000": "not covered: not from the distribution"}
        document = report_document(outcome(unjudged_records=records, is_truncated=True), 1)
        packages = {"not evaluated: the listed version is not valid": 1, "not covered: not from the distribution": 1}
        expected = {"packages": packages, "records": records, "truncated": True}
        self.assertEqual(document["scan"]["unjudged"], expected)

    def test_failed(self) -> None:
        """A scan that failed is not complete, and has the reason."""
        for verdict in (Verdict.INCOMPLETE, Verdict.UNSUPPORTED, Verdict.ERROR):
            scan = report_document(failed(verdict), 1)["scan"]
            self.assertEqual(
                (scan["complete"], scan["verdict"], scan["problem"]), (False, verdict, "Connection refused")
            )
            self.assertIsNone(scan["revision"])

    def test_inventory_stays_home(self) -> None:
        """Packages without a finding are not reported."""
        text = json.dumps(report_document(outcome(with_unfixed=True), 1))
        self.assertNotIn(FOREIGN.name, text)
        self.assertNotIn("linux-image", text)

    def test_finding(self) -> None:
        """A finding is in the wire format of a vulnerability, under the vulnerability id, with only the missing fix."""
        for finding in (*FINDINGS, *UNFIXED):
            document = finding_document(finding)
            record = from_wire(document)
            self.assertEqual((record.name, record.severity), (finding.vulnerability_id, finding.severity))
            self.assertEqual((record.aliases, record.fixed_in), (finding.names[1:], (finding.fixed,)))
            self.assertEqual(document["installed"]["name"], finding.package.name)
            self.assertEqual((document["sources"], document["running"]), (["debian"], finding.running))

    def test_enriched(self) -> None:
        """A finding of one id of an advisory has what is known about that id, and nothing of the others."""
        known = Facts(Severity.CRITICAL, "nvd", "CVSS:3.1/AV:N", 9.8, "2025-12-01", 0.9)
        facts = (("CVE-2025-9230", known), ("CVE-2025-9231", Facts(kev="2024-12-01")))
        advisory = evolve(FINDINGS[0].records[0], name="DSA-1", severity=Severity.UNKNOWN, cvss=None, facts=facts)
        record = from_wire(finding_document(evolve(FINDINGS[0], records=(advisory,))))
        self.assertEqual((record.facts_of("CVE-2025-9230"), record.facts), (known, ()))

    def test_streamed(self) -> None:
        """The report that is written piece by piece is the same."""
        for shown in (False, True):
            of = outcome(with_unfixed=shown)
            self.assertEqual(
                json.loads("".join(json_pieces(streamed_report(of, 3), compact=True))), report_document(of, 3)
            )
