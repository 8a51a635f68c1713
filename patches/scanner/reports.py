"""Reports: the whole state of a host after one scan, as a JSON document."""

from __future__ import annotations

from typing import Any

from patches.scanner.matcher import Finding
from patches.scanner.scan import Outcome
from patches.wire import rfc3339, to_wire


def report_document(outcome: Outcome, number: int) -> dict[str, Any]:
    """
    Make the report of a scan.

    :param number: of this report; it grows with each report of a host, so that an old one never replaces a newer.
    """
    return {
        "vulnerabilities": [finding_document(finding) for finding in outcome.findings],
        "host": outcome.host,
        "platform": outcome.platform,
        "scan": {
            "id": outcome.scan_id,
            "number": number,
            "started": rfc3339(outcome.started),
            "finished": rfc3339(outcome.finished),
            "complete": outcome.complete,
            "problem": outcome.problem,
            "revision": outcome.revision,
            "digest": outcome.digest,
            "served": outcome.served,
            "findings": len(outcome.findings),
            "unfixed": outcome.unfixed,
            "notEvaluated": dict(outcome.not_evaluated),
        },
    }


def finding_document(finding: Finding) -> dict[str, Any]:
    """Give a finding: the vulnerability in wire form, and what is installed."""
    package = finding.package
    installed = {
        "name": package.name,
        "version": package.version,
        "source": package.source,
        "sourceVersion": package.source_version,
        "arch": package.arch,
    }
    return {**to_wire(finding.vulnerability), "installed": installed}
