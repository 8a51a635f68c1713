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


def findings_table(findings: Iterable[Finding]) -> Table:
    """Show findings as a table, in the order given."""
    table = Table("Severity", "Package", "Installed", "Fixed in", "Vulnerability", "Details", header_style="bold")
    for finding in findings:
        vulnerability, package, fixed = finding.vulnerability, finding.package, finding.fixed
        source = fixed.kind == "source" and package.source != package.name
        table.add_row(
            vulnerability.severity.name.lower(),
            escape(f"{package.name} ({package.source})" if source else package.name),
            escape(package.source_version if fixed.kind == "source" else package.version),
            escape(fixed.version or "no fix yet"),
            escape(vulnerability.name),
            escape(vulnerability.details_href),
            style=_STYLES.get(vulnerability.severity, ""),
        )
    return table


def summary(outcome: Outcome) -> str:
    """Say in a few lines, as rich markup, what the scan says and what it does not."""
    where = f"{outcome.host} ({outcome.platform})"
    if not outcome.complete:
        return f"[bold red]Incomplete:[/] {escape(where)}: {escape(outcome.problem or '')}. This is not a clean result."
    counts = Counter(finding.vulnerability.severity for finding in outcome.findings)
    by_severity = ", ".join(f"{counts[severity]} {severity.name.lower()}" for severity in sorted(counts, reverse=True))
    lines = [
        f"[bold]{escape(where)}[/]: {len(outcome.findings)} findings" + (f" ({by_severity})" if by_severity else ""),
        f"{outcome.packages} packages compared with {outcome.served} vulnerabilities; every one arrived and was verified "
        f"(revision {escape(str(outcome.revision))}).",
    ]
    if outcome.unfixed:
        lines.append(f"{outcome.unfixed} further findings have no fix yet.")
    for reason, count in sorted(outcome.not_evaluated.items()):
        lines.append(f"[yellow]Not evaluated:[/] {count}: {escape(reason)}.")
    return "\n".join(lines)
