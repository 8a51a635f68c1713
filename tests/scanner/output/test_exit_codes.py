"""Exit codes: findings that count result in 1, and an incomplete comparison never in 0."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from click.testing import CliRunner
from twisted.trial.unittest import SynchronousTestCase

from patches.cli.host_commands import scan as command
from patches.scanner.outcome import ListInfo, Verdict
from patches.scanner.output.exit_codes import EXPLAINED, exit_code
from patches.scanner.output.fail_on import FailOn
from patches.vulnerability import Severity
from tests.scanner.sample_outcomes import outcome


class ExitCodeTests(SynchronousTestCase):
    """The exit code."""

    def code(self, limit: str, **changes: Any) -> int:
        """Return the exit code of an outcome whose counted findings are high and medium."""
        return exit_code(outcome(**changes), FailOn.from_text(limit))

    def test_limit(self) -> None:
        """A finding at least as severe as the limit results in 1; an ignored one never does."""
        for limit, code in {"unknown": 1, "medium": 1, "high": 1, "critical": 0, "urgent": 0, "never": 0}.items():
            self.assertEqual((limit, self.code(limit)), (limit, code))
        self.assertEqual(self.code("unknown", findings=outcome().findings[2:]), 0)

    def test_unfixed(self) -> None:
        """Findings without a fix count only if they are shown."""
        for shown, code in ((False, 0), (True, 1)):
            self.assertEqual(self.code("unknown", findings=(), with_unfixed=shown), code)
        self.assertEqual(self.code("low", findings=(), unfixed=outcome().unfixed[:1], with_unfixed=True), 0)

    def test_unknown(self) -> None:
        """A finding of unknown severity counts for every limit, unless it is allowed."""
        for limit in ("negligible", "high", "urgent"):
            self.assertEqual(self.code(limit, findings=(), unfixed=outcome().unfixed[1:], with_unfixed=True), 1)
        unknown = outcome(findings=(), unfixed=outcome().unfixed[1:], with_unfixed=True)
        self.assertEqual(exit_code(unknown, FailOn(Severity.HIGH, allows_unknown=True)), 0)
        self.assertEqual(exit_code(unknown, FailOn(Severity.UNKNOWN, allows_unknown=True)), 1)

    def test_no_facts(self) -> None:
        """A list without the facts that are asked for is code 2, before others; one that was not received is not."""
        for limit in ("kev", "epss=0.9", "low,kev"):
            for verdict in (Verdict.FINDINGS, Verdict.STALE):
                self.assertEqual(self.code(limit, verdict=verdict), 2)
            away = outcome(verdict=Verdict.INCOMPLETE, list_info=ListInfo())
            self.assertEqual(exit_code(away, FailOn.from_text(limit)), 3)

    def test_not_done(self) -> None:
        """An incomplete scan has its own code, whatever it found and whatever the limit is."""
        codes = {Verdict.INCOMPLETE: 3, Verdict.STALE: 3, Verdict.UNSUPPORTED: 4, Verdict.ERROR: 5}
        for verdict, code in codes.items():
            self.assertEqual({self.code(limit, verdict=verdict) for limit in ("unknown", "never")}, {code})

    def test_unjudged(self) -> None:
        """Packages without a verdict fail a scan on request, from the given number on; two are unjudged here."""
        for most, code in ((None, 0), (1, 6), (2, 6), (3, 0)):
            self.assertEqual(exit_code(outcome(findings=()), FailOn.from_text("unknown"), most), code, most)

    def test_end_of_life(self) -> None:
        """The end of the platform's support fails a scan on request."""
        for end, fail, code in (("2025-12", True, 6), ("2025-12", False, 0), (None, True, 0)):
            ended = outcome(findings=(), end_of_life=end)
            self.assertEqual(exit_code(ended, FailOn.from_text("unknown"), fail_on_eol=fail), code)

    def test_precedence(self) -> None:
        """A scan that is not complete and findings that count go before code 6."""
        for changes, code in (({}, 1), ({"verdict": Verdict.STALE}, 3), ({"verdict": Verdict.ERROR}, 5)):
            self.assertEqual(exit_code(outcome(**changes), FailOn.from_text("unknown"), 1, True), code)
        self.assertEqual(exit_code(outcome(), FailOn.from_text("never"), 1, False), 6)

    def test_explained(self) -> None:
        """Every code is explained in the help and in the documentation."""
        page = (Path(__file__).parents[3] / "docs/reference/exit-codes.rst").read_text()
        shown = CliRunner().invoke(command, ["--help"]).output
        for code in (0, 1, 2, 3, 4, 5, 6, 130):
            self.assertIn(f" {code} ", EXPLAINED)
            self.assertIn(f"* - {code}\n", page)
            self.assertRegex(shown, rf"\b{code}\s")
