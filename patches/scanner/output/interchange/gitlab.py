"""
The outcome of a scan as a report of GitLab's container scanning, which GitLab shows for a pipeline.

Source: *Report format for GitLab Container Scanning*, version 15.0.0 of GitLab's security report schemas. A host takes
the place of the image: ``HOST:PLATFORM``. Only findings that count are in the report, as it cannot say that one is
accepted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid5

from patches import __version__
from patches.scanner.json_pieces import json_pieces, lazy_list
from patches.scanner.matching.findings import Finding
from patches.scanner.outcome import Outcome, Verdict
from patches.scanner.output.phrases import INFORMATION, links_of, page_of, remedy, title_of_finding
from patches.vulnerability import Severity
from patches.wire import rfc3339
from patches.wording import counted, printable

VERSION = "15.0.0"
_SCHEMA = (
    "https://gitlab.com/gitlab-org/security-products/security-report-schemas/-/raw/"
    f"v{VERSION}/dist/container-scanning-report-format.json"
)
#: The namespace of the ids of vulnerabilities, which are the same in every report of a host.
_NAMESPACE = UUID("6f3a1e0c-5b5e-4d0a-9a0f-6f0f9f7f2b11")
_SEVERITIES = {
    Severity.URGENT: "Critical",
    Severity.CRITICAL: "Critical",
    Severity.HIGH: "High",
    Severity.MEDIUM: "Medium",
    Severity.LOW: "Low",
    Severity.NEGLIGIBLE: "Info",
    Severity.UNKNOWN: "Unknown",
}
_LONGEST_NAME, _LONGEST_SOLUTION = 255, 7_000
_KIND = re.compile(r"[A-Za-z]+")
_TOOL = {"id": "patches", "name": "Patches", "url": INFORMATION, "version": __version__, "vendor": {"name": "Patches"}}


def gitlab_pieces(outcome: Outcome) -> Iterator[str]:
    """Yield the text of the report of an outcome, in pieces."""

    def vulnerability(finding: Finding) -> dict[str, Any]:
        return _vulnerability(finding, outcome)

    return json_pieces(
        {
            "version": VERSION,
            "schema": _SCHEMA,
            "scan": {
                "analyzer": _TOOL,
                "scanner": _TOOL,
                "type": "container_scanning",
                "start_time": rfc3339(outcome.started)[:19],
                "end_time": rfc3339(outcome.finished)[:19],
                "status": "success" if outcome.verdict in (Verdict.CLEAN, Verdict.FINDINGS) else "failure",
                "messages": [{"level": level, "value": text} for level, text in _messages(outcome)],
            },
            "vulnerabilities": lazy_list(vulnerability, outcome.counted),
        }
    )


def _messages(outcome: Outcome) -> Iterator[tuple[str, str]]:
    if outcome.problem is not None:
        yield "fatal", f"{outcome.verdict}: {outcome.problem}"
    for reason, count in sorted(outcome.coverage.unjudged_by_reason.items()):
        yield "warn", f"not judged: {counted(count, 'package')}: {reason}"
    if outcome.end_of_life is not None:
        yield "warn", f"support for {outcome.platform} ended in {outcome.end_of_life}"
    left_out = len(outcome.shown) - len(outcome.counted)
    if left_out:
        yield "info", f"not in this report, as they do not count: {counted(left_out, 'finding')}"


def _vulnerability(finding: Finding, outcome: Outcome) -> dict[str, Any]:
    package = finding.package
    same = "\0".join((outcome.host, finding.vulnerability_id, package.name, package.arch, package.version))
    title = f"{told}. " if (told := title_of_finding(finding)) else ""
    return {
        "id": str(uuid5(_NAMESPACE, printable(same))),
        "name": f"{finding.vulnerability_id} in {package.source}"[:_LONGEST_NAME],
        "description": f"{title}{package.name} {finding.installed_version} is affected by {finding.vulnerability_id}.",
        "severity": _SEVERITIES[finding.severity],
        "solution": remedy(finding)[:_LONGEST_SOLUTION],
        "identifiers": [_identifier(name, finding) for name in finding.names],
        "links": [{"url": link} for link in links_of((finding,))],
        "location": {
            "dependency": {"package": {"name": package.name}, "version": finding.installed_version},
            "operating_system": outcome.platform or "unknown",
            "image": f"{outcome.host.replace(':', '-').strip() or 'host'}:{outcome.platform or 'unknown'}",
        },
    }


def _identifier(name: str, finding: Finding) -> dict[str, str]:
    """Return an id with its kind, which is its first letters: ``cve``, ``dsa``, ``ghsa``."""
    kind = _KIND.match(name)
    found = {"type": kind[0].lower() if kind else "other", "name": name or "unnamed", "value": name or "unnamed"}
    page = page_of(finding) if name == finding.vulnerability_id else ""
    return found | {"url": page} if page else found
