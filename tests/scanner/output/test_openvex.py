"""OpenVEX: a statement for each finding."""

from __future__ import annotations

from attrs import evolve
from packageurl import PackageURL
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.matching.findings import Ignored
from patches.scanner.outcome import Verdict
from tests.scanner.output.format_checks import made
from tests.scanner.sample_outcomes import FINDINGS, failed, outcome


class OpenVexTests(SynchronousTestCase):
    """OpenVEX."""

    def test_statements(self) -> None:
        """Each finding is a statement about its package: affected, with the action to take."""
        first = made("openvex", outcome())["statements"][0]
        self.assertEqual(first["vulnerability"]["aliases"], ["DSA-9230-1"])
        self.assertEqual(PackageURL.from_string(first["products"][0]["@id"]).name, "libssl3")
        self.assertEqual((first["status"], "3.0.17-1" in first["action_statement"]), ("affected", True))

    def test_decisions(self) -> None:
        """A decision with a justification is not affected; any other is still affected, unless it says fixed."""
        _, _, accepted, settled = made("openvex", outcome())["statements"]
        self.assertEqual((accepted["status"], settled["status"]), ("affected", "not_affected"))
        self.assertIn("Nobody but root logs in.", accepted["action_statement"])
        self.assertEqual(settled["justification"], "vulnerable_code_not_in_execute_path")
        self.assertNotIn("impact_statement", settled)
        fixed = evolve(FINDINGS[0], ignored=Ignored("Patched live.", None, "fixed"))
        plain = evolve(FINDINGS[1], ignored=Ignored("Not used.", None, "not_affected"))
        fixed_one, plain_one = made("openvex", outcome(findings=(fixed, plain)))["statements"]
        self.assertEqual((fixed_one["status"], fixed_one["status_notes"]), ("fixed", "Patched live."))
        self.assertEqual((plain_one["status"], plain_one["action_statement"]), ("affected", "Ignored: Not used."))

    def test_verdict(self) -> None:
        """A document without statements says whether the result is clean."""
        self.assertIn("verdict incomplete: Connection refused", made("openvex", failed())["tooling"])
        self.assertIn(", 2 packages not judged", made("openvex", outcome())["tooling"])
        self.assertIn("verdict clean", made("openvex", outcome(verdict=Verdict.CLEAN, findings=()))["tooling"])
