"""The outcome of a scan as JSON in our own format, which contains everything that is known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from patches.enrichment.facts import rare_members
from patches.scanner.inventory import Package, package_document
from patches.scanner.json_pieces import json_pieces, lazy_list
from patches.scanner.matching.findings import Finding
from patches.scanner.outcome import Coverage, ListInfo, Outcome
from patches.scanner.output.phrases import score_of
from patches.vulnerability import Vulnerability
from patches.wire import rfc3339

#: The version of the format. It grows if a reader of the older format would misread the newer one.
FORM = 1


def document_pieces(outcome: Outcome) -> Iterator[str]:
    """Yield the text of the document of an outcome, in pieces."""
    return json_pieces(outcome_document(outcome))


def outcome_document(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as a JSON object, with findings that are converted as they are encoded."""
    kernels = outcome.kernels
    return {
        "form": FORM,
        "verdict": str(outcome.verdict),
        "problem": outcome.problem,
        "host": outcome.host,
        "platform": outcome.platform or None,
        "system": outcome.system.name,
        "tracks": sorted(outcome.coverage.tracks),
        "scan": outcome.scan_id,
        "started": rfc3339(outcome.started),
        "finished": rfc3339(outcome.finished),
        "endOfLife": outcome.end_of_life,
        "kernels": None
        if kernels is None
        else {
            "installed": list(kernels.installed),
            "running": kernels.running,
            "rebootPending": kernels.reboot_pending,
        },
        "list": _list(outcome.list_info),
        "cacheProblem": outcome.cache_problem,
        "packages": _packages(outcome.coverage, outcome.complete),
        "notEvaluated": dict(sorted(outcome.not_evaluated.items())),
        "findings": lazy_list(_finding, outcome.findings),
        "unfixed": lazy_list(_finding, outcome.unfixed),
        "unfixedCount": len(outcome.unfixed),
        "headersCount": outcome.headers,
    }


def _list(list_info: ListInfo) -> dict[str, Any]:
    return {
        "revision": list_info.revision,
        "digest": list_info.digest,
        "created": list_info.created,
        "checked": list_info.checked,
        "away": list_info.away,
        "vulnerabilities": list_info.served,
        "unread": list_info.unread,
        "enrichments": list(list_info.enrichments),
        "skew": list_info.skew,
    }


def _packages(coverage: Coverage, complete: bool) -> dict[str, Any]:
    """Return the packages by result. The number of fine ones is ``None`` unless the scan is complete."""
    return {
        "installed": coverage.installed,
        "affected": len(coverage.affected),
        "fine": coverage.fine if complete else None,
        "notCovered": lazy_list(_not_covered, coverage.not_covered.items()),
        "notEvaluated": lazy_list(_not_evaluated, coverage.not_evaluated.items()),
        "origins": dict(sorted(coverage.origins.items())),
    }


def _not_covered(entry: tuple[Package, str]) -> dict[str, Any]:
    package, reason = entry
    return {**package_document(package), "reason": reason}


def _not_evaluated(entry: tuple[Package, tuple[str, ...]]) -> dict[str, Any]:
    package, reasons = entry
    return {"package": package_document(package), "reasons": list(reasons)}


def _finding(finding: Finding) -> dict[str, Any]:
    fixed, ignored, facts = finding.fixed, finding.ignored, finding.facts
    return {
        "flaw": finding.vulnerability_id,
        "severity": facts.severity.name.lower(),
        "severitySource": facts.severity_source,
        "cvss": facts.cvss,
        "cvssScore": score_of(facts),
        "kev": facts.kev,
        "epss": facts.epss,
        "package": package_document(finding.package),
        "installed": finding.installed_version,
        "compared": finding.compared_version,
        "fixed": fixed.version,
        "lastAffected": fixed.last_affected,
        "status": fixed.status,
        "kind": fixed.kind,
        "module": fixed.module,
        "track": finding.track,
        "remark": finding.remark,
        "names": list(finding.names),
        "records": [_record(record) for record in finding.records],
        "sources": list(finding.sources),
        "running": finding.running,
        "oldKernel": finding.is_old_kernel,
        "ignored": None
        if ignored is None
        else {"reason": ignored.reason, "expires": ignored.expires.isoformat() if ignored.expires else None},
    }


def _record(record: Vulnerability) -> dict[str, Any]:
    return {
        "name": record.name,
        "source": record.source,
        "severity": record.severity.name.lower(),
        "detailsHref": record.details_href,
        "published": record.published,
        "cvss": record.cvss,
        **rare_members(record),
    }
