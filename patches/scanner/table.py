"""What a scan found, for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from rich.markup import escape
from rich.table import Table

from patches.scanner.matcher import Finding
from patches.scanner.scan import Outcome
from patches.vulnerability import Severity

_STYLES = {
    Severity.URGENT: "bold white on red",
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
}
#: From this width on there is room for a column of links.
_WIDE = 140


def findings_table(findings: Iterable[Finding], width: int) -> Table:
    """
    Show findings as a table, in the order given; nothing is cut off, links are left out where they do not fit.

    :param width: of the terminal, in columns.
    """
    table = Table(header_style="bold")
    for column in ("Severity", "Package", "Installed", "Fixed in"):
        table.add_column(column, overflow="fold")
    table.add_column("Vulnerability", no_wrap=True)
    if width >= _WIDE:
        table.add_column("Details", overflow="fold")
    for finding in findings:
        cells = (*_cells(finding), finding.vulnerability.details_href)[: len(table.columns)]
        table.add_row(*map(escape, cells), style=_STYLES.get(finding.vulnerability.severity, ""))
    return table


def _cells(finding: Finding) -> tuple[str, ...]:
    vulnerability, package, fixed = finding.vulnerability, finding.package, finding.fixed
    by_source = fixed.kind == "source"
    return (
        vulnerability.severity.name.lower(),
        f"{package.name} ({package.source})" if by_source and package.source != package.name else package.name,
        package.source_version if by_source else package.version,
        fixed.version or "no fix yet",
        vulnerability.name,
    )


def summary(outcome: Outcome) -> str:
    """Say in a few lines, as rich markup, what the scan says and what it does not."""
    where = f"{outcome.host} ({outcome.platform})"
    if not outcome.complete:
        return f"[bold red]Incomplete:[/] {escape(where)}: {escape(outcome.problem or '')}. This is not a clean result."
    counts = Counter(finding.vulnerability.severity for finding in outcome.findings)
    by_severity = ", ".join(f"{counts[severity]} {severity.name.lower()}" for severity in sorted(counts, reverse=True))
    found = f"{len(outcome.findings)} findings" + (f" ({by_severity})" if by_severity else "")
    lines = [
        f"[bold]{escape(where)}[/]: {found}",
        f"{outcome.packages} packages compared with {outcome.served} vulnerabilities; all arrived and were verified.",
    ]
    if outcome.unfixed:
        lines.append(f"{outcome.unfixed} further findings have no fix yet.")
    for reason, count in sorted(outcome.not_evaluated.items()):
        lines.append(f"[yellow]Not evaluated:[/] {count}: {escape(reason)}.")
    return "\n".join(lines)
