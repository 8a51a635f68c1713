"""The vulnerabilities of a CycloneDX document: one for each pair of vulnerability id and decision about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal

from cyclonedx.model import XsUri
from cyclonedx.model.impact_analysis import (
    ImpactAnalysisAffectedStatus,
    ImpactAnalysisJustification,
    ImpactAnalysisResponse,
    ImpactAnalysisState,
)
from cyclonedx.model.vulnerability import (
    BomTarget,
    BomTargetVersionRange,
    Vulnerability,
    VulnerabilityAdvisory,
    VulnerabilityAnalysis,
    VulnerabilityRating,
    VulnerabilityReference,
    VulnerabilityScoreSource,
    VulnerabilitySeverity,
    VulnerabilitySource,
)

from patches.cvss import base_score, version_of
from patches.scanner.matching.findings import Finding, Ignored
from patches.scanner.matching.purls import purl_of
from patches.scanner.outcome import Outcome
from patches.scanner.output.phrases import ignore_sentence, links_of, remedy
from patches.vulnerability import Severity
from patches.vulnerability import Vulnerability as Record

_SEVERITIES = {
    Severity.URGENT: VulnerabilitySeverity.CRITICAL,
    Severity.CRITICAL: VulnerabilitySeverity.CRITICAL,
    Severity.HIGH: VulnerabilitySeverity.HIGH,
    Severity.MEDIUM: VulnerabilitySeverity.MEDIUM,
    Severity.LOW: VulnerabilitySeverity.LOW,
    Severity.NEGLIGIBLE: VulnerabilitySeverity.INFO,
    Severity.UNKNOWN: VulnerabilitySeverity.UNKNOWN,
}
_METHODS = {
    "2.0": VulnerabilityScoreSource.CVSS_V2,
    "3.0": VulnerabilityScoreSource.CVSS_V3,
    "3.1": VulnerabilityScoreSource.CVSS_V3_1,
    "4.0": VulnerabilityScoreSource.CVSS_V4,
}
#: OpenVEX's keyword → CycloneDX's; the one for code that an adversary cannot control has no equivalent.
_JUSTIFICATIONS = {
    "component_not_present": ImpactAnalysisJustification.CODE_NOT_PRESENT,
    "vulnerable_code_not_present": ImpactAnalysisJustification.CODE_NOT_PRESENT,
    "vulnerable_code_not_in_execute_path": ImpactAnalysisJustification.CODE_NOT_REACHABLE,
    "inline_mitigations_already_exist": ImpactAnalysisJustification.PROTECTED_BY_MITIGATING_CONTROL,
}
_STATES = {
    "affected": ImpactAnalysisState.EXPLOITABLE,
    "not_affected": ImpactAnalysisState.NOT_AFFECTED,
    "fixed": ImpactAnalysisState.RESOLVED,
}


def vulnerabilities_of(outcome: Outcome) -> Iterator[Vulnerability]:
    """Yield the vulnerabilities of the findings that are shown."""
    groups: dict[tuple[str, Ignored | None], list[Finding]] = {}
    for finding in outcome.shown:
        groups.setdefault((finding.vulnerability_id, finding.ignored), []).append(finding)
    for number, ((vulnerability_id, ignored), findings) in enumerate(groups.items()):
        yield _vulnerability(vulnerability_id, ignored, findings, outcome, f"vulnerability:{number}:{vulnerability_id}")


def _vulnerability(
    vulnerability_id: str, ignored: Ignored | None, findings: list[Finding], outcome: Outcome, ref: str
) -> Vulnerability:
    records = tuple(dict.fromkeys(record for finding in findings for record in finding.records))
    return Vulnerability(
        bom_ref=ref,
        id=vulnerability_id,
        source=_source(records[0]),
        references=_references(vulnerability_id, records),
        ratings=[_rating(record) for record in records],
        advisories=[VulnerabilityAdvisory(url=XsUri(link)) for link in links_of(findings)],
        published=_time(records[0].published),
        recommendation="\n".join(dict.fromkeys(remedy(finding) for finding in findings)),
        analysis=None if ignored is None else _analysis(ignored),
        affects=_targets(findings, outcome),
    )


def _source(record: Record) -> VulnerabilitySource | None:
    return VulnerabilitySource(name=record.source) if record.source else None


def _references(vulnerability_id: str, records: Iterable[Record]) -> list[VulnerabilityReference]:
    """Return the other names, each with the source that uses it; the format does not allow a name without a source."""
    named = {(name, record.source) for record in records if record.source for name in (record.name, *record.aliases)}
    about = sorted(each for each in named if each[0] != vulnerability_id)
    return [VulnerabilityReference(id=name, source=VulnerabilitySource(name=source)) for name, source in about]


def _rating(record: Record) -> VulnerabilityRating:
    score, method = base_score(record.cvss or ""), _METHODS.get(version_of(record.cvss or "") or "")
    return VulnerabilityRating(
        source=_source(record),
        severity=_SEVERITIES[record.severity],
        score=Decimal(str(score)) if score is not None else None,
        method=method,
        vector=record.cvss if method is not None else None,
    )


def _time(text: str | None) -> datetime | None:
    try:
        told = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return told if told.tzinfo is not None else told.replace(tzinfo=UTC)


def _analysis(ignored: Ignored) -> VulnerabilityAnalysis:
    justified = f" ({ignored.justification})" if ignored.justification else ""
    return VulnerabilityAnalysis(
        state=_STATES[ignored.status],
        justification=_JUSTIFICATIONS.get(ignored.justification or ""),
        responses=[ImpactAnalysisResponse.WILL_NOT_FIX] if ignored.status == "affected" else [],
        detail=ignore_sentence(ignored) + justified,
    )


def _targets(findings: Iterable[Finding], outcome: Outcome) -> list[BomTarget]:
    """Return the affected packages; one that a decision calls not affected or fixed is marked as unaffected."""
    targets = {}
    for finding in findings:
        ref = purl_of(finding.package, outcome.platform, outcome.coverage.scheme).to_string()
        affected = ImpactAnalysisAffectedStatus.AFFECTED
        unaffected = finding.ignored is not None and finding.ignored.status != "affected"
        status = ImpactAnalysisAffectedStatus.UNAFFECTED if unaffected else affected
        targets[ref] = BomTarget(
            ref=ref, versions=[BomTargetVersionRange(version=finding.package.version, status=status)]
        )
    return list(targets.values())
