"""The summary below the table of a scan, as text for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from patches.scanner.inventory import Package
from patches.scanner.matching.findings import native_version
from patches.scanner.outcome import Outcome, Verdict
from patches.scanner.output.tables.upgrade_command import upgrade_command
from patches.service.terminal import plain
from patches.wording import counted

_NOT_DONE = {
    Verdict.INCOMPLETE: "Incomplete",
    Verdict.UNSUPPORTED: "Unsupported",
    Verdict.ERROR: "Error",
}

#: The beginning of the last line: the command follows.
TO_UPGRADE = "To upgrade:"


def summary(outcome: Outcome, verbose: bool = False) -> str:
    """
    Return a summary of a few lines, with rich markup: what was found, and what was not judged.

    :param verbose: whether to name the packages that are affected or were not judged.
    """
    where = f"{outcome.host} ({_platform(outcome)})" if outcome.platform else outcome.host
    if outcome.verdict in _NOT_DONE:
        word = _NOT_DONE[outcome.verdict]
        skew = outcome.list_info.skew
        clocks = "" if skew is None else f" The server's clock is {_difference(skew)} this host's."
        problem = plain(outcome.problem or "")
        return f"[bold red]{word}:[/] {plain(where)}: {problem}. This is not a clean result.{clocks}"
    return "\n".join((_headline(outcome, where), *_lines(outcome, verbose)))


def _difference(skew: float) -> str:
    hours = abs(skew) / 3600
    amount = (
        f"{hours / 24:.0f} days" if hours >= 48 else f"{hours:.1f} hours" if hours >= 1 else f"{hours * 60:.0f} minutes"
    )
    return f"{amount} {'ahead of' if skew > 0 else 'behind'}"


def _platform(outcome: Outcome) -> str:
    system = outcome.system
    return (
        f"{system.name}, compared as {outcome.platform}" if system.is_derivative and system.name else outcome.platform
    )


def _headline(outcome: Outcome, where: str) -> str:
    counts = Counter(finding.severity for finding in outcome.counted)
    by_severity = ", ".join(f"{counts[severity]} {severity.name.lower()}" for severity in sorted(counts, reverse=True))
    found = counted(len(outcome.counted), "finding") + (f" ({by_severity})" if by_severity else "")
    if outcome.counted:
        found += f" of {counted(len({finding.vulnerability_id for finding in outcome.counted}), 'vulnerability id')}"
    coverage = outcome.coverage
    if outcome.verdict is Verdict.CLEAN:
        found += f"; clean for {coverage.fine} of {counted(coverage.installed, 'package')}"
    if outcome.end_of_life is not None:
        found += f"; [yellow]support ended in {plain(outcome.end_of_life)}[/]"
    return f"[bold]{plain(where)}[/]: {found}"


def _lines(outcome: Outcome, verbose: bool) -> Iterator[str]:
    coverage = outcome.coverage
    if outcome.verdict is Verdict.STALE:
        yield f"[bold red]Stale:[/] {plain(outcome.problem or '')}. Newer vulnerabilities were not compared."
    list_info = outcome.list_info
    if list_info.away is not None:
        checked = plain(list_info.checked)
        yield f"[yellow]From the cache:[/] {plain(list_info.away)}. The list was last checked at {checked}."
    if list_info.skew is not None:
        yield f"[yellow]Clocks differ:[/] the server's is {_difference(list_info.skew)} this host's."
    yield f"{counted(list_info.served, 'vulnerability')} compared; all arrived and were verified."
    packages = counted(coverage.installed, "package")
    yield f"{packages}: {len(coverage.affected)} affected, {coverage.fine} fine{_rest(outcome)}."
    yield from _not_counted(outcome)
    for reason, count in sorted(outcome.not_evaluated.items()):
        yield f"[yellow]Not evaluated:[/] {counted(count, 'comparison')}: {plain(reason)}."
    for reason, count in sorted(coverage.unjudged_by_reason.items()):
        yield f"[yellow]Not judged:[/] {counted(count, 'package')}, {plain(reason)}."
    for origin, count in sorted(coverage.origins.items()):
        yield f"From origin {plain(origin)}, which is not known: {counted(count, 'package')}, compared."
    if list_info.unread:
        entries = counted(list_info.unread, "entry", "entries")
        yield f"[yellow]Not in the list:[/] {entries} of its sources, which the server could not read."
    exploited = sorted({each.vulnerability_id for each in outcome.counted if each.facts.kev is not None})
    if exploited:
        yield f"[bold red]Known to be exploited (KEV):[/] {plain(', '.join(exploited))}."
    yield from _facts(outcome)
    if verbose:
        yield from _named(outcome)
    command = upgrade_command(outcome)
    if command is not None:
        yield f"[bold]{TO_UPGRADE}[/] {plain(command)}"


def _not_counted(outcome: Outcome) -> Iterator[str]:
    ignored = sum(finding.ignored is not None for finding in outcome.shown)
    if ignored:
        is_are = "is" if ignored == 1 else "are"
        yield f"{counted(ignored, 'finding')} {is_are} ignored by the decisions in the ignore file."
    old = sum(finding.is_old_kernel and finding.ignored is None for finding in outcome.shown)
    if old and not outcome.with_old_kernels:
        yield f"{counted(old, 'finding')} in older kernels, which are not running: not counted."
    if outcome.unfixed and not outcome.with_unfixed:
        has_have = "has" if len(outcome.unfixed) == 1 else "have"
        yield f"{counted(len(outcome.unfixed), 'further finding')} {has_have} no fix yet."
    if outcome.headers:
        yield f"{counted(outcome.headers, 'record')} of kernel headers or documentation: not counted."


def _rest(outcome: Outcome) -> str:
    coverage = outcome.coverage
    rest = [
        f", {count} {word}"
        for count, word in ((len(coverage.not_covered), "not covered"), (len(coverage.not_evaluated), "not evaluated"))
        if count
    ]
    return "".join(rest)


def _facts(outcome: Outcome) -> Iterator[str]:
    if outcome.end_of_life is not None:
        yield f"[yellow]End of life:[/] support for {plain(outcome.platform)} ended in {plain(outcome.end_of_life)}."
    kernels = outcome.kernels
    if kernels is not None and kernels.reboot_pending:
        running, newest = plain(str(kernels.running)), plain(kernels.installed[-1])
        yield f"[yellow]Reboot pending:[/] kernel {running} is running, but {newest} is installed."


def _named(outcome: Outcome) -> Iterator[str]:
    coverage = outcome.coverage
    for package in coverage.affected:
        yield f"Affected: {plain(_full(package))}"
    for package, reasons in coverage.not_evaluated.items():
        yield f"Not evaluated: {plain(_full(package))}: {plain('; '.join(reasons))}"
    for package, reason in coverage.not_covered.items():
        yield f"Not covered: {plain(_full(package))}: {plain(reason)}"


def _full(package: Package) -> str:
    return f"{package.name} {native_version(package.version)} {package.arch}"
