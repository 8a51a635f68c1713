"""Comma-separated values: the rows of the table, safe in a spreadsheet."""

from __future__ import annotations

import csv
import io

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.outcome import Outcome
from patches.scanner.output.tables.comma_separated import csv_pieces
from patches.scanner.output.tables.view import COLUMNS, FINDING, View
from patches.vulnerability import FixedPackage, Severity
from tests.scanner.sample_outcomes import FINDINGS, SUDO, failed, finding, outcome


def rows(of: Outcome, view: View) -> list[list[str]]:
    """Return the rows of the document of an outcome, the first one with the names of the columns."""
    return list(csv.reader(io.StringIO("".join(csv_pieces(of, view)))))


class CsvTests(SynchronousTestCase):
    """CSV."""

    def test_rows(self) -> None:
        """Each row of the table is a row, by default with all columns."""
        for by, count in (("upgrade", 2), (FINDING, 4)):
            names, *found = rows(outcome(), View(by))
            self.assertEqual((tuple(names), len(found)), (tuple(COLUMNS[by]), count))
        shown = rows(outcome(), View(FINDING, ("id", "fixed"), lowest=Severity.HIGH))
        self.assertEqual(shown, [["id", "fixed"], ["CVE-2025-9230", "3.0.17-1"], ["CVE-2026-2000", "6.1.90-1"]])
        self.assertEqual(rows(failed(), View(FINDING, ("id",))), [["id"]])

    def test_many(self) -> None:
        """No row is lost where there are many."""
        many = tuple(evolve(FINDINGS[0], vulnerability_id=f"CVE-2099-{n:05d}") for n in range(1000))
        found = rows(outcome(findings=many), View(FINDING, ("id",)))[1:]
        self.assertEqual([row[0] for row in found], [each.vulnerability_id for each in many])

    def test_formulas(self) -> None:
        """A text that a spreadsheet would compute is a text; quotes and commas are kept."""
        for text in ("=1+1", "+1", "-1", "@x"):
            odd = finding(text, evolve(SUDO, name='a "b", c'), FixedPackage("a", "2", "binary"), Severity.LOW)
            found = rows(outcome(findings=(odd,)), View(FINDING, ("id", "package")))
            self.assertEqual(found[1], [f"'{text}", 'a "b", c'])
