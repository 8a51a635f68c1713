"""The rows that a user wants to see of an outcome, and their columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from operator import attrgetter
from typing import Any

from attrs import frozen

from patches.scanner.matching.findings import Finding
from patches.scanner.outcome import Outcome
from patches.scanner.output.fail_on import without_facts
from patches.scanner.output.phrases import title_of_finding
from patches.scanner.output.tables.columns import FINDING_COLUMNS, UPGRADE_COLUMNS, Column, FindingRow
from patches.scanner.output.tables.upgrades import Upgrade, upgrades_of
from patches.service.text_table import Row, TextTable
from patches.vulnerability import Severity

UPGRADE, FINDING = "upgrade", "finding"
COLUMNS: Mapping[str, Mapping[str, Column[Any]]] = {UPGRADE: UPGRADE_COLUMNS, FINDING: FINDING_COLUMNS}
_STYLES = {
    Severity.URGENT: "bold white on red",
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
}


class BadView(ValueError):
    """A column that the chosen rows do not have; the text says which ones there are."""


@frozen
class View:
    """
    Which rows of an outcome are shown, and how.

    :ivar by: ``upgrade``: a row for each upgrade of a source package; ``finding``: one for each finding.
    :ivar columns: the names of the columns; empty: the usual ones.
    :ivar sort_by: the column by which the rows are sorted; ``None``: the most severe first.
    :ivar lowest: the lowest severity that is shown; ``None``: all.
    :ivar only_fixed: whether rows without a fix are left out.
    :ivar only_kev: whether findings are left out that are not known to be exploited.
    """

    by: str = UPGRADE
    columns: tuple[str, ...] = ()
    sort_by: str | None = None
    lowest: Severity | None = None
    only_fixed: bool = False
    only_kev: bool = False

    def check(self) -> None:
        """Raise :class:`BadView` unless the rows have the columns."""
        known = COLUMNS[self.by]
        for name in (*self.columns, *((self.sort_by,) if self.sort_by is not None else ())):
            if name not in known:
                raise BadView(f"rows by {self.by} have no column {name!r}, but {', '.join(known)}")

    def chosen(self, outcome: Outcome) -> tuple[Column[Any], ...]:
        """Return the columns of an outcome, in their order: those of facts that its list does not have are no use."""
        known = COLUMNS[self.by]
        if self.columns:
            return tuple(known[name] for name in self.columns)
        titled = any(map(title_of_finding, outcome.shown)) if self.by == FINDING else False
        facts = ("", *outcome.list_info.enrichments, *(["title"] if titled else []))
        return tuple(column for column in known.values() if column.is_usual and column.fact in facts)

    def missing(self, outcome: Outcome) -> str | None:
        """Return why the list of a scan cannot tell which rows are shown; ``None`` if it can, or was not received."""
        why = without_facts(("kev",) if self.only_kev else (), outcome)
        return f"--kev: {why}" if why is not None else None

    def _is_shown(self, finding: Finding) -> bool:
        is_severe = self.lowest is None or finding.severity >= self.lowest
        is_exploited = not self.only_kev or finding.facts.kev is not None
        return is_severe and is_exploited and (finding.fixed.has_fix or not self.only_fixed)

    def upgrades(self, outcome: Outcome) -> list[Upgrade]:
        """Return the rows by upgrade, of the findings that count."""
        found = upgrades_of(filter(self._is_shown, outcome.counted), outcome.coverage.scheme)
        return self._sorted(found)

    def finding_rows(self, outcome: Outcome) -> Iterable[FindingRow]:
        """Return the rows by finding, with those that are shown and do not count; architectures share a row."""
        found = _joined(filter(self._is_shown, outcome.shown))
        return self._sorted(list(found)) if self.sort_by is not None else found

    def _sorted(self, rows: list[Any]) -> list[Any]:
        if self.sort_by is not None:
            rows.sort(key=COLUMNS[self.by][self.sort_by].order)
        return rows

    def found(self, outcome: Outcome) -> Iterable[Any]:
        """Return the rows as values."""
        return self.upgrades(outcome) if self.by == UPGRADE else self.finding_rows(outcome)

    def rows(self, outcome: Outcome) -> Iterator[Row]:
        """Yield the rows as texts, each with its style."""
        columns = self.chosen(outcome)
        for row in self.found(outcome):
            style = "dim" if row.is_dim else _STYLES.get(row.severity, "")
            yield tuple(column.cell(row) for column in columns), style

    def table(self, outcome: Outcome) -> TextTable:
        """Return the rows as a table."""
        columns = self.chosen(outcome)
        kept: list[Row] | None = list(self.rows(outcome)) if self.by == UPGRADE else None
        return TextTable(
            *(column.heading for column in columns),
            rows=lambda: self.rows(outcome) if kept is None else kept,
            numbers={column.heading for column in columns if column.is_number},
            optional=() if self.columns else [column.heading for column in reversed(columns) if column.is_optional],
        )


def _joined(findings: Iterable[Finding]) -> Iterator[FindingRow]:
    """Yield the rows of findings in their order; those that differ in the architecture only share one."""
    for _, group in groupby(findings, key=attrgetter("severity", "package.name", "vulnerability_id")):
        alike: dict[tuple[Any, ...], list[Finding]] = {}
        for finding in group:
            alike.setdefault(_facts(finding), []).append(finding)
        for same in alike.values():
            yield FindingRow(same[0], tuple(dict.fromkeys(each.package.arch for each in same)))


def _facts(finding: Finding) -> tuple[Any, ...]:
    """Return what a row shows of a finding, but for the architecture."""
    package, fixed = finding.package, finding.fixed
    versions = package.version, package.source, finding.compared, fixed.version, fixed.last_affected, fixed.status
    return *versions, finding.track, finding.remark, finding.ignored, finding.running
