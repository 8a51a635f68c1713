"""
The outcome of a scan as SARIF: one rule for each vulnerability id, one result for each finding.

Sources: OASIS Static Analysis Results Interchange Format 2.1.0, errata 01; and *SARIF support for code scanning*,
GitHub, for ``security-severity``, what a rule must have, and how many results and runs a file may have. GitHub accepts
several runs of one tool only if each has a category of its own: the ``id`` of its ``automationDetails`` up to the last
slash.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left
from collections.abc import Iterator
from itertools import groupby
from operator import attrgetter
from typing import Any

from patches import __version__
from patches.scanner.json_pieces import LazyList, json_pieces, lazy_list
from patches.scanner.matching.findings import Finding, Ignored
from patches.scanner.matching.purls import PurlTexts
from patches.scanner.outcome import Outcome, Verdict
from patches.scanner.output.phrases import INFORMATION, links_of, remedy, score_of_records, title_of_finding
from patches.vulnerability import Severity
from patches.wire import rfc3339
from patches.wording import counted

#: The most results in one run, and the most runs in one file, that GitHub accepts.
MOST_RESULTS = 25_000
MOST_RUNS = 20
SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

#: The most characters of a text of a rule; GitHub shows 1,000 of a description.
_LONGEST_TEXT = 1_000
#: The characters that have a meaning in Markdown.
_MARKUP = re.compile(r"[\\`*_{}\[\]()<>#+!|~&-]")
#: version scheme → the package database, below the root folder of the host.
_DATABASES = {"dpkg": "var/lib/dpkg/status", "apk": "lib/apk/db/installed", "rpm": "var/lib/rpm"}
#: A score for each severity, from the middle of its range, for records without a CVSS score.
_SCORES = {
    Severity.URGENT: 10.0,
    Severity.CRITICAL: 9.5,
    Severity.HIGH: 8.0,
    Severity.MEDIUM: 5.5,
    Severity.LOW: 2.5,
    Severity.NEGLIGIBLE: 0.5,
}


def sarif_pieces(outcome: Outcome) -> Iterator[str]:
    """Yield the text of the document of an outcome, in pieces; many findings are divided into several runs."""
    shown = outcome.shown
    parts = range(0, min(len(shown), MOST_RESULTS * MOST_RUNS), MOST_RESULTS)
    omitted = max(0, len(shown) - MOST_RESULTS * MOST_RUNS)
    runs = LazyList(
        lambda: (_run(outcome, shown[start : start + MOST_RESULTS], part, omitted) for part, start in enumerate(parts))
    )
    return json_pieces({"$schema": SCHEMA, "version": "2.1.0", "runs": runs if shown else [_run(outcome, (), 0, 0)]})


def _run(outcome: Outcome, shown: tuple[Finding, ...], part: int, omitted: int) -> dict[str, Any]:
    """
    Return a run with some of the findings.

    :param part: its number, from 0.
    :param omitted: the number of findings that are in no run.
    """
    ids = sorted({finding.vulnerability_id for finding in shown})
    purls = PurlTexts(outcome.platform, outcome.coverage.scheme)
    # A category ends at the last slash: what follows would be the name of one run of it.
    category = f"patches/{outcome.platform or 'unknown'}/{outcome.host}/" + (f"part-{part + 1}/" if part else "")

    def result(finding: Finding) -> dict[str, Any]:
        return _result(finding, bisect_left(ids, finding.vulnerability_id), outcome, purls[finding.package])

    rules = LazyList(lambda: _rules(shown)) if shown else []
    return {
        "tool": {
            "driver": {"name": "Patches", "version": __version__, "informationUri": INFORMATION, "rules": rules},
        },
        "invocations": [_invocation(outcome, omitted)],
        "originalUriBaseIds": {"ROOT": {"description": {"text": "The root folder of the host."}}},
        "automationDetails": {"id": category},
        "results": lazy_list(result, shown),
        "properties": {
            "host": outcome.host,
            "platform": outcome.platform,
            "verdict": str(outcome.verdict),
            "scan": outcome.scan_id,
            "revision": outcome.list_info.revision,
            "system": outcome.system.name,
            "endOfLife": outcome.end_of_life,
            "unjudged": _unjudged(outcome, purls),
        },
    }


def _unjudged(outcome: Outcome, purls: PurlTexts) -> list[dict[str, str]]:
    """Return the packages without a verdict, each with its reason."""
    coverage = outcome.coverage
    reasons = {package: "; ".join(why) for package, why in coverage.not_evaluated.items()}
    return [
        {"package": purls[package], "reason": reason} for package, reason in {**reasons, **coverage.not_covered}.items()
    ]


def _rules(shown: tuple[Finding, ...]) -> Iterator[dict[str, Any]]:
    """Yield the rules in the order of their ids."""
    by_id = attrgetter("vulnerability_id")
    for vulnerability_id, findings in groupby(sorted(shown, key=by_id), key=by_id):
        yield _rule(vulnerability_id, list(findings))


def _rule(vulnerability_id: str, findings: list[Finding]) -> dict[str, Any]:
    severity = max(finding.severity for finding in findings)
    packages = ", ".join(dict.fromkeys(finding.package.source for finding in findings))
    properties: dict[str, Any] = {"tags": ["security"], "severity": severity.name.lower()}
    records = dict.fromkeys(record for finding in findings for record in finding.records)
    rated = score_of_records(records, vulnerability_id)
    score = rated if rated is not None else _SCORES.get(severity)
    if score is not None:
        properties["security-severity"] = f"{score:.1f}"
    remedies = list(dict.fromkeys(remedy(finding) for finding in findings))
    links = links_of(findings)
    rule = {
        "id": vulnerability_id,
        "shortDescription": {"text": _plain(f"{vulnerability_id} in {packages}")},
        "fullDescription": {"text": _plain(_description(vulnerability_id, findings, severity))[:_LONGEST_TEXT]},
        "help": {
            "text": "\n".join((*remedies, *links))[:_LONGEST_TEXT],
            "markdown": _markdown(vulnerability_id, remedies, links)[:_LONGEST_TEXT],
        },
        "defaultConfiguration": {"level": _level(severity)},
        "properties": properties,
    }
    return rule | {"helpUri": links[0]} if links else rule


def _description(vulnerability_id: str, findings: list[Finding], severity: Severity) -> str:
    """Return what is known of a vulnerability: its title, packages, severity, other names, and sources."""
    packages = ", ".join(dict.fromkeys(finding.package.source for finding in findings))
    names = dict.fromkeys(name for finding in findings for name in finding.names if name != vulnerability_id)
    sources = dict.fromkeys(source for finding in findings for source in finding.sources if source)
    also = f" It is also known as {', '.join(names)}." if names else ""
    according = f" according to {', '.join(sources)}" if sources else ""
    title = next((f"{title}. " for finding in findings if (title := title_of_finding(finding))), "")
    return f"{title}{vulnerability_id} affects {packages}. Its severity is {severity.name.lower()}{according}.{also}"


def _markdown(vulnerability_id: str, remedies: list[str], links: list[str]) -> str:
    """Return the help of a rule as Markdown, in which a text from a list has no meaning."""
    lines = [f"**{_MARKUP.sub(_escaped, vulnerability_id)}**", ""]
    lines += [f"- {_MARKUP.sub(_escaped, text)}" for text in remedies]
    lines += [f"- <{link}>" for link in links]
    return "\n".join(lines)


def _escaped(found: re.Match[str]) -> str:
    return f"\\{found[0]}"


def _result(finding: Finding, rule: int, outcome: Outcome, purl: str) -> dict[str, Any]:
    package = finding.package
    text = f"{package.name} {package.version} is affected by {finding.vulnerability_id}. {remedy(finding)}"
    same = hashlib.sha256(
        "\0".join((finding.vulnerability_id, package.name, package.arch)).encode("utf-8", "replace")
    ).hexdigest()
    # A package database is not read by its lines, and GitHub wants a place in the file: the whole of it.
    place = {"uri": _DATABASES.get(outcome.coverage.scheme or "", ""), "uriBaseId": "ROOT"}
    return {
        "ruleId": finding.vulnerability_id,
        "ruleIndex": rule,
        "level": _level(finding.severity),
        "message": {"text": _plain(text)},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": place, "region": {"startLine": 1}},
                "logicalLocations": [{"name": package.name, "fullyQualifiedName": purl, "kind": "package"}],
            }
        ],
        "partialFingerprints": {"flawAndPackage/v1": same},
        "suppressions": _suppressions(finding, outcome),
        "properties": {
            "severity": finding.severity.name.lower(),
            "package": package.name,
            "installed": finding.installed_version,
            "compared": finding.compared_version,
            "track": finding.track,
            "oldKernel": finding.is_old_kernel,
            "fixed": finding.fixed.version,
            "sources": list(finding.sources),
        },
    }


def _suppressions(finding: Finding, outcome: Outcome) -> list[dict[str, Any]]:
    """Return why a finding does not count."""
    if finding.ignored is not None:
        return [_suppression(finding.ignored)]
    if finding.is_old_kernel and not outcome.with_old_kernels:
        return [{"kind": "external", "status": "accepted", "justification": "A newer kernel is running."}]
    return []


def _suppression(ignored: Ignored) -> dict[str, Any]:
    suppression = {"kind": "external", "status": "accepted", "justification": ignored.reason}
    expires = {"properties": {"expires": ignored.expires.isoformat()}} if ignored.expires else {}
    return suppression | expires


def _invocation(outcome: Outcome, omitted: int) -> dict[str, Any]:
    return {
        "executionSuccessful": outcome.verdict in (Verdict.CLEAN, Verdict.FINDINGS),
        "startTimeUtc": rfc3339(outcome.started),
        "endTimeUtc": rfc3339(outcome.finished),
        "toolExecutionNotifications": list(_notifications(outcome, omitted)),
    }


def _notifications(outcome: Outcome, omitted: int) -> Iterator[dict[str, Any]]:
    if omitted:
        yield _notification(
            "warning", f"left out, as a file has at most {MOST_RUNS} runs: {counted(omitted, 'finding')}"
        )
    if outcome.problem is not None:
        yield _notification("error", f"{outcome.verdict}: {outcome.problem}")
    for reason, count in sorted(outcome.not_evaluated.items()):
        yield _notification("warning", f"not possible: {counted(count, 'comparison')}: {reason}")
    for reason, count in sorted(outcome.coverage.unjudged_by_reason.items()):
        yield _notification("warning", f"not judged: {counted(count, 'package')}: {reason}")
    if outcome.end_of_life is not None:
        yield _notification("warning", f"support for {outcome.platform} ended in {outcome.end_of_life}")


def _notification(level: str, text: str) -> dict[str, Any]:
    return {"level": level, "message": {"text": _plain(text)}}


def _level(severity: Severity) -> str:
    if severity >= Severity.HIGH:
        return "error"
    return "note" if severity in (Severity.LOW, Severity.NEGLIGIBLE) else "warning"


def _plain(text: str) -> str:
    """Escape the characters that have a meaning in a message (3.11.5 placeholders, 3.11.6 links)."""
    text = text.replace("\\", "\\\\").replace("{", "{{").replace("}", "}}")
    return text.replace("[", "\\[").replace("]", "\\]")
