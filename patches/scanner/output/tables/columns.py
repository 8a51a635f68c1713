"""The columns of rows: for each one its heading, the text of a cell, and the order of the rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from attrs import frozen

from patches.scanner.matching.findings import Finding
from patches.scanner.output.phrases import fix_text, page_of, score_of_finding, title_of_finding
from patches.scanner.output.tables.upgrades import Upgrade, arches_of
from patches.vulnerability import Severity

R = TypeVar("R")


@frozen
class FindingRow:
    """
    A finding, in one or more architectures of its package.

    :ivar arches: the architectures.
    """

    finding: Finding
    arches: tuple[str, ...]

    @property
    def severity(self) -> Severity:
        """The severity of the finding."""
        return self.finding.severity

    @property
    def is_dim(self) -> bool:
        """Whether the finding does not count, or its package is not in use."""
        return self.finding.ignored is not None or self.finding.running is False


@frozen
class Column(Generic[R]):
    """
    A column.

    :ivar heading: its name in the first line.
    :ivar cell: a function that returns the text of a row.
    :ivar order: a function that returns the key by which rows are sorted.
    :ivar is_usual: whether it is shown unless the user names columns.
    :ivar is_number: whether it is aligned to the right.
    :ivar is_optional: whether it is left out of a terminal that is too narrow.
    :ivar fact: the fact that a list must have, or the column is left out unless the user names it.
    """

    heading: str
    cell: Callable[[R], str]
    order: Callable[[R], Any]
    is_usual: bool = True
    is_number: bool = False
    is_optional: bool = False
    fact: str = ""


def _text(heading: str, cell: Callable[[R], str], **more: Any) -> Column[R]:
    """Return a column that is sorted by its text."""
    return Column(heading, cell, cell, **more)


def severity_counts(ids: Mapping[str, Severity]) -> str:
    """Return how many ids there are of each severity, the most severe first."""
    counts = Counter(ids.values())
    return ", ".join(f"{counts[severity]} {severity.name.lower()}" for severity in sorted(counts, reverse=True))


def _by_severity(upgrade: Upgrade) -> tuple[int, ...]:
    counts = Counter(upgrade.ids.values())
    return tuple(-counts[severity] for severity in sorted(Severity, reverse=True))


def _binaries(upgrade: Upgrade) -> str:
    return ", ".join(dict.fromkeys(package.name for package in upgrade.packages))


def _cvss(finding_of: Callable[[R], Finding], **more: Any) -> Column[R]:
    """Return the column of a finding's CVSS score, the highest first."""

    def score(row: R) -> float | None:
        return score_of_finding(finding_of(row))

    def cell(row: R) -> str:
        found = score(row)
        return f"{found:.1f}" if found is not None else ""

    return Column("CVSS", cell, lambda row: -(score(row) or 0.0), is_number=True, **more)


def _epss(band_of: Callable[[R], float | None]) -> Column[R]:
    """Return the column of the EPSS percentile, the likeliest first; a band is written as ``--fail-on`` takes it."""

    def cell(row: R) -> str:
        found = band_of(row)
        return f"{found:.1f}" if found is not None else ""

    def order(row: R) -> float:
        found = band_of(row)
        return -1.0 - found if found is not None else 0.0

    return Column("EPSS", cell, order, is_usual=False, is_number=True, fact="epss")


def _first_kev(row: Upgrade) -> str:
    """Return the first of the ids that are known to be exploited, and how many others there are."""
    others = f" +{len(row.exploited) - 1}" if len(row.exploited) > 1 else ""
    return f"{row.exploited[0]}{others}" if row.exploited else ""


#: The columns of rows by upgrade, by the name that a user gives.
UPGRADE_COLUMNS: Mapping[str, Column[Upgrade]] = {
    "severity": Column("Severity", lambda row: row.severity.name.lower(), lambda row: -row.severity),
    "package": _text("Package", lambda row: row.name),
    "binaries": _text("Binary packages", _binaries, is_usual=False),
    "arch": _text("Architecture", lambda row: ", ".join(arches_of(row.packages)), is_usual=False),
    "installed": _text("Installed", lambda row: row.installed),
    "fixed": _text("Upgrade to", lambda row: row.fixed),
    "ids": Column("Ids", lambda row: str(len(row.ids)), lambda row: -len(row.ids), is_number=True),
    "severities": Column("By severity", lambda row: severity_counts(row.ids), _by_severity),
    "findings": Column(
        "Findings", lambda row: str(row.findings), lambda row: -row.findings, is_usual=False, is_number=True
    ),
    "worst": _text("Worst", lambda row: row.worst.vulnerability_id),
    "kev": Column("Exploited (KEV)", _first_kev, lambda row: -len(row.exploited), fact="kev"),
    "epss": _epss(lambda row: row.epss),
    "cvss": _cvss(lambda row: row.worst, is_usual=False),
    "link": _text("Link", lambda row: page_of(row.worst), is_usual=False),
}


def _word(row: FindingRow) -> str:
    word = row.severity.name.lower()
    return f"{word} (ignored)" if row.finding.ignored else word


def _package(row: FindingRow) -> str:
    finding, package = row.finding, row.finding.package
    name = package.name
    if finding.fixed.kind == "source" and package.source != name:
        name = f"{name} ({package.source})"
    if len(row.arches) > 1:
        name += f" [{', '.join(row.arches)}]"
    return f"{name}, not running" if finding.running is False else name


def _installed(row: FindingRow) -> str:
    compared = row.finding.compared_version
    installed = row.finding.installed_version
    return f"{installed} (as {compared})" if compared else installed


def _fixed(row: FindingRow) -> str:
    finding = row.finding
    return fix_text(finding.fixed, finding.track) + (f" ({finding.remark})" if finding.remark else "")


#: The columns of rows by finding.
FINDING_COLUMNS: Mapping[str, Column[FindingRow]] = {
    "severity": Column("Severity", _word, lambda row: -row.severity),
    "package": _text("Package", _package),
    "source": _text("Source package", lambda row: row.finding.package.source, is_usual=False),
    "arch": _text("Architecture", lambda row: ", ".join(row.arches), is_usual=False),
    "installed": _text("Installed", _installed),
    "fixed": _text("Fixed in", _fixed),
    "id": _text("Vulnerability", lambda row: row.finding.vulnerability_id),
    "kev": Column(
        "KEV since", lambda row: row.finding.facts.kev or "", lambda row: row.finding.facts.kev or "~", fact="kev"
    ),
    "epss": _epss(lambda row: row.finding.facts.epss),
    "names": _text("Other names", lambda row: ", ".join(row.finding.names[1:]), is_usual=False),
    "cvss": _cvss(lambda row: row.finding, is_optional=True),
    "link": _text("Link", lambda row: page_of(row.finding), is_optional=True),
    "title": _text("Title", lambda row: title_of_finding(row.finding), is_optional=True, fact="title"),
}
