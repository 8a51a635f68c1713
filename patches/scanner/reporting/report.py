"""Reports: the whole state of a host after one scan, as a JSON document."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from patches.scanner.inventory import package_document
from patches.scanner.matching.findings import Finding
from patches.scanner.outcome import Outcome
from patches.wire import rfc3339, to_wire


def report_document(outcome: Outcome, number: int) -> dict[str, Any]:
    """
    Make the report of a scan. Findings that are ignored are only counted; so are those without a fix, unless they are
    to be shown.

    :param number: of this report; it grows with each report of a host, so that an old one never replaces a newer.
    """
    counted = outcome.counted
    return {
        "vulnerabilities": [finding_document(finding) for finding in counted],
        "host": outcome.host,
        "platform": outcome.platform,
        "scan": {
            "id": outcome.scan_id,
            "number": number,
            "started": rfc3339(outcome.started),
            "finished": rfc3339(outcome.finished),
            "verdict": str(outcome.verdict),
            "complete": outcome.complete,
            "problem": outcome.problem,
            "revision": outcome.list_info.revision,
            "digest": outcome.list_info.digest,
            "served": outcome.list_info.served,
            "findings": len(counted),
            "ignored": len(outcome.shown) - len(counted),
            "unfixed": 0 if outcome.with_unfixed else len(outcome.unfixed),
            "notEvaluated": dict(outcome.not_evaluated),
        },
    }


def finding_document(finding: Finding) -> dict[str, Any]:
    """Give a finding: the flaw in the wire form of a vulnerability, and what is installed."""
    record = evolve(
        finding.records[0],
        name=finding.vulnerability_id,
        aliases=finding.names[1:],
        severity=finding.severity,
        details_href=finding.details_href,
        fixed_in=(finding.fixed,),
    )
    return {
        **to_wire(record),
        "installed": package_document(finding.package),
        "sources": list(finding.sources),
        "running": finding.running,
    }
