"""The vulnerabilities of a CycloneDX document: one for each pair of vulnerability id and decision about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter
from typing import Any

from patches.cvss import version_of
from patches.scanner.matching.findings import Finding, Ignored
from patches.scanner.matching.purls import PurlTexts
from patches.scanner.outcome import Outcome
from patches.scanner.output.phrases import ignore_sentence, links_of, remedy, score_of
from patches.vulnerability import Facts, Severity
from patches.vulnerability import Vulnerability as Record

_SEVERITIES = {
    Severity.URGENT: "critical",
    Severity.CRITICAL: "critical",
    Severity.HIGH: "high",
    Severity.MEDIUM: "medium",
    Severity.LOW: "low",
    Severity.NEGLIGIBLE: "info",
    Severity.UNKNOWN: "unknown",
}
_METHODS = {"2.0": "CVSSv2", "3.0": "CVSSv3", "3.1": "CVSSv31", "4.0": "CVSSv4"}
#: OpenVEX's keyword → CycloneDX's; the one for code that an adversary cannot control has no equivalent.
_JUSTIFICATIONS = {
    "component_not_present": "code_not_present",
    "vulnerable_code_not_present": "code_not_present",
    "vulnerable_code_not_in_execute_path": "code_not_reachable",
    "inline_mitigations_already_exist": "protected_by_mitigating_control",
}
_STATES = {"affected": "exploitable", "not_affected": "not_affected", "fixed": "resolved"}


def vulnerabilities_of(outcome: Outcome, purls: PurlTexts) -> Iterator[dict[str, Any]]:
    """Yield the vulnerabilities of the findings that are shown, in the order of their ids."""
    by_id, number = attrgetter("vulnerability_id"), 0
    for vulnerability_id, findings in groupby(sorted(outcome.shown, key=by_id), key=by_id):
        decided: dict[Ignored | None, list[Finding]] = {}
        for finding in findings:
            decided.setdefault(finding.ignored, []).append(finding)
        for ignored, those in decided.items():
            yield _vulnerability(vulnerability_id, ignored, those, purls, f"vulnerability:{number}:{vulnerability_id}")
            number += 1


def _vulnerability(
    vulnerability_id: str, ignored: Ignored | None, findings: list[Finding], purls: PurlTexts, ref: str
) -> dict[str, Any]:
    records = tuple(dict.fromkeys(record for finding in findings for record in finding.records))
    told = {
        "bom-ref": ref,
        "id": vulnerability_id,
        "source": _source(records[0]),
        "references": _references(vulnerability_id, records),
        "ratings": _each_once(_rating(record, record.facts_of(vulnerability_id)) for record in records),
        "description": next((record.title for record in records if record.title), None),
        "recommendation": "\n".join(dict.fromkeys(remedy(finding) for finding in findings)),
        "advisories": [{"url": link} for link in links_of(findings)],
        "published": _time(records[0].published),
        "analysis": None if ignored is None else _analysis(ignored),
        "affects": _targets(findings, purls),
    }
    return {name: value for name, value in told.items() if value}


def _source(record: Record) -> dict[str, str] | None:
    return {"name": record.source} if record.source else None


def _references(vulnerability_id: str, records: Iterable[Record]) -> list[dict[str, Any]]:
    """Return the other names, each with the source that uses it; the format does not allow a name without a source."""
    named = {(name, record.source) for record in records if record.source for name in (record.name, *record.aliases)}
    return [{"id": name, "source": {"name": source}} for name, source in sorted(named) if name != vulnerability_id]


def _rating(record: Record, facts: Facts) -> dict[str, Any]:
    score, method = score_of(facts), _METHODS.get(version_of(facts.cvss or "") or "")
    told = {
        "source": {"name": facts.severity_source} if facts.severity_source else _source(record),
        "score": float(score) if score is not None else None,
        "severity": _SEVERITIES[facts.severity],
        "method": method,
        "vector": _vector(facts.cvss or "") if method is not None else None,
    }
    return {name: value for name, value in told.items() if value is not None}


def _vector(cvss: str) -> str:
    """Return a vector without its version, which is in the method."""
    return cvss.partition("/")[2] if cvss.startswith("CVSS:") else cvss


def _each_once(items: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for item in items:
        if item not in found:
            found.append(item)
    return found


def _time(text: str | None) -> str | None:
    try:
        told = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return (told if told.tzinfo is not None else told.replace(tzinfo=UTC)).isoformat()


def _analysis(ignored: Ignored) -> dict[str, Any]:
    justified = f" ({ignored.justification})" if ignored.justification else ""
    told = {
        "state": _STATES[ignored.status],
        "justification": _JUSTIFICATIONS.get(ignored.justification or ""),
        "response": ["will_not_fix"] if ignored.status == "affected" else [],
        "detail": ignore_sentence(ignored) + justified,
    }
    return {name: value for name, value in told.items() if value}


def _targets(findings: Iterable[Finding], purls: PurlTexts) -> list[dict[str, Any]]:
    """Return the affected packages; one that a decision calls not affected or fixed is marked as unaffected."""
    targets = {}
    for finding in findings:
        unaffected = finding.ignored is not None and finding.ignored.status != "affected"
        version = {"version": finding.package.version, "status": "unaffected" if unaffected else "affected"}
        ref = purls[finding.package]
        targets[ref] = {"ref": ref, "versions": [version]}
    return list(targets.values())
