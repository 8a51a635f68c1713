"""Reports: the whole state of a host after one scan, as a JSON document."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from patches.scanner.inventory import package_document
from patches.scanner.json_pieces import lazy_list
from patches.scanner.matching.findings import Finding
from patches.scanner.outcome import Outcome
from patches.wire import rfc3339, to_wire


def streamed_report(outcome: Outcome, number: int) -> dict[str, Any]:
    """Return the report of a scan, as :func:`report_document` does, with findings that are converted when encoded."""
    return report_document(outcome, number, lazy_list(finding_document, outcome.counted))


def report_document(outcome: Outcome, number: int, vulnerabilities: list[Any] | None = None) -> dict[str, Any]:
    """
    Return the report of a scan.

    Ignored findings are only counted, and so are findings without a fix unless ``--include-unfixed`` is given.

    :param number: the number of the report. It grows with each report of a host, so that an old report never replaces
        a newer one.
    :param vulnerabilities: the documents of its findings; ``None``: they are made here.
    """
    counted = outcome.counted
    told = [finding_document(finding) for finding in counted] if vulnerabilities is None else vulnerabilities
    return {
        "vulnerabilities": told,
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
            "skew": outcome.list_info.skew,
            "findings": len(counted),
            "ignored": len(outcome.shown) - len(counted),
            "unfixed": 0 if outcome.with_unfixed else len(outcome.unfixed),
            "notEvaluated": dict(outcome.not_evaluated),
            "endOfLife": outcome.end_of_life,
            "unjudged": {
                "packages": dict(outcome.coverage.unjudged_by_reason),
                "records": dict(outcome.unjudged_records),
                "truncated": outcome.is_truncated,
            },
        },
    }


def finding_document(finding: Finding) -> dict[str, Any]:
    """Return a finding: the vulnerability in the wire format, with the installed package."""
    first, facts = finding.records[0], finding.facts
    record = evolve(
        first,
        name=finding.vulnerability_id,
        aliases=finding.names[1:],
        severity=facts.severity,
        severity_source=facts.severity_source if facts.severity_source != first.source else None,
        cvss=facts.cvss,
        score=facts.score,
        kev=facts.kev,
        epss=facts.epss,
        facts=(),
        details_href=finding.details_href,
        fixed_in=(finding.fixed,),
    )
    return {
        **to_wire(record),
        "installed": package_document(finding.package),
        "sources": list(finding.sources),
        "running": finding.running,
    }
