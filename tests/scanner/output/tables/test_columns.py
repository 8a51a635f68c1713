"""Tests for :mod:`patches.scanner.output.tables.columns`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.output.tables.columns import FINDING_COLUMNS, UPGRADE_COLUMNS, FindingRow, severity_counts
from patches.scanner.output.tables.upgrades import upgrades_of
from patches.vulnerability import Severity
from tests.scanner.sample_outcomes import FINDINGS, UNFIXED


class ColumnTests(SynchronousTestCase):
    """The columns."""

    def test_every_cell(self) -> None:
        """Every column has a text and an order for every row."""
        found = (*FINDINGS, *UNFIXED)
        for column in FINDING_COLUMNS.values():
            rows = sorted((FindingRow(each, (each.package.arch,)) for each in found), key=column.order)
            self.assertTrue(all(isinstance(column.cell(row), str) for row in rows), column.heading)
        for upgrade_column in UPGRADE_COLUMNS.values():
            upgrades = sorted(upgrades_of(found, "dpkg"), key=upgrade_column.order)
            self.assertTrue(all(isinstance(upgrade_column.cell(row), str) for row in upgrades), upgrade_column.heading)

    def test_names(self) -> None:
        """A finding's row has the other names of the vulnerability."""
        self.assertEqual(FINDING_COLUMNS["names"].cell(FindingRow(FINDINGS[0], ("amd64",))), "DSA-9230-1")

    def test_severity_counts(self) -> None:
        """Severities are counted from the highest on."""
        ids = {"a": Severity.LOW, "b": Severity.CRITICAL, "c": Severity.LOW}
        self.assertEqual(severity_counts(ids), "1 critical, 2 low")
