"""Parser of a scanner's report: converts the JSON to a frozen value, or refuses it with a reason."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import evolve, field, frozen

from patches.reporter import fields
from patches.reporter.fields import MalformedReport
from patches.vulnerability import FOLLOWED, Vulnerability
from patches.wire import MalformedWire, from_wire


@frozen
class Installed:
    """The installed package that a finding is about."""

    name: str
    version: str
    arch: str
    source: str
    source_version: str


@frozen
class ReportedFinding:
    """One finding of a report: a vulnerability, and the installed package."""

    vulnerability: Vulnerability
    installed: Installed


@frozen
class Scan:
    """
    A scanner's description of a scan.

    :ivar id: the unique name of the scan.
    :ivar number: grows with every scan of the host.
    :ivar complete: whether the whole list was compared; otherwise the report may lack findings.
    :ivar revision: the revision of the snapshot; ``None`` if no snapshot was read.
    :ivar digest: the digest of the snapshot; ``None`` if no snapshot was read.
    :ivar served: the number of vulnerabilities that were compared.
    :ivar problem: why the scan is not complete; ``None`` if it is complete.
    :ivar unfixed: the number of additional vulnerabilities without a fix.
    :ivar not_evaluated: the number of comparisons that were not possible, by reason.
    """

    id: str
    number: int
    started: datetime
    finished: datetime
    complete: bool
    revision: str | None
    digest: str | None
    served: int
    problem: str | None = None
    unfixed: int = 0
    not_evaluated: Mapping[str, int] = field(factory=dict)


@frozen
class Report:
    """The whole state of a host after a scan."""

    host: str
    platform: str
    scan: Scan
    findings: tuple[ReportedFinding, ...]


@frozen
class BareReport:
    """
    A part of what the first Patches scanner has found on a host: that scanner describes neither the host nor its scan.

    :ivar host: the address of the sender.
    :ivar platform: the platform; ``None`` if there is no finding.
    :ivar findings: the vulnerabilities, some of them several times.
    :ivar unreadable: the number of records that are not vulnerabilities.
    """

    host: str
    platform: str | None
    findings: tuple[Vulnerability, ...]
    unreadable: int = 0


def parse_report(body: bytes, peer: str) -> Report | BareReport:
    """
    Parse a report.

    :param peer: the sender's address. It names the host in a report of the first Patches scanner, which has only
        ``{"vulnerabilities": […]}``.
    :raises MalformedReport: if the report is not valid.
    """
    document = fields.json_object(body)
    records = document.get("vulnerabilities")
    if not isinstance(records, list):
        raise MalformedReport('"vulnerabilities" must be a list')
    if document.keys().isdisjoint(("host", "platform", "scan")):
        return _bare_report(records, peer)
    findings = tuple(_finding(n, record) for n, record in enumerate(records))
    scan = _scan(document.get("scan"), len(findings))
    return Report(fields.host(document.get("host")), fields.platform(document.get("platform")), scan, findings)


def fingerprint(vulnerability: Vulnerability) -> str:
    """
    Return a text that is the same for all copies of a finding: a hash of its id, its platform and its fixed packages.

    Severity and link may change while a scan goes on: they are no part of it.
    """
    packages = sorted((package.name, package.version or "") for package in vulnerability.fixed_in)
    named = json.dumps([vulnerability.platform, vulnerability.name, packages])
    return hashlib.sha256(named.encode()).hexdigest()


def _bare_report(records: list[Any], peer: str) -> BareReport:
    """Parse a report of the first scanner, which is never sent again: what is odd in it is left out."""
    findings, unreadable = [], 0
    for n, record in enumerate(records):
        try:
            findings.append(_bare_finding(n, record))
        except MalformedReport:
            unreadable += 1
    # A list of the packages that a source follows is no finding: the first scanner does not know such records.
    found = tuple(each for each in findings if each.name != FOLLOWED)
    return BareReport(fields.host(peer), found[-1].platform if found else None, found, unreadable)


def _bare_finding(n: int, record: Any) -> Vulnerability:
    """Parse a record that has passed through Go, in which an absent list is null, and an absent version empty."""
    if isinstance(record, dict):
        record = {**record, "fixedInPackages": record.get("fixedInPackages") or []}
    found = _vulnerability(n, record)
    fields.platform(found.platform)
    return evolve(found, fixed_in=tuple(evolve(each, version=each.version or None) for each in found.fixed_in))


def _scan(record: Any, findings: int) -> Scan:
    if not isinstance(record, dict) or not isinstance(record.get("complete"), bool):
        raise MalformedReport('"scan" must be an object, and scan.complete must be true or false')
    told = fields.number(record.get("findings"), "scan.findings")
    if told != findings:
        raise MalformedReport(f"scan.findings is {told}, but there are {findings} vulnerabilities")
    return Scan(
        id=fields.text(record.get("id"), "scan.id"),
        number=fields.number(record.get("number"), "scan.number"),
        started=fields.time(record.get("started"), "scan.started"),
        finished=fields.time(record.get("finished"), "scan.finished"),
        complete=record["complete"],
        revision=fields.text_or_none(record.get("revision"), "scan.revision"),
        digest=fields.text_or_none(record.get("digest"), "scan.digest"),
        served=fields.number(record.get("served"), "scan.served"),
        problem=fields.text_or_none(record.get("problem"), "scan.problem"),
        unfixed=fields.number(record.get("unfixed", 0), "scan.unfixed"),
        not_evaluated=fields.counts(record.get("notEvaluated"), "scan.notEvaluated"),
    )


def _finding(n: int, record: Any) -> ReportedFinding:
    vulnerability = _vulnerability(n, record)
    installed = record.get("installed")
    if not isinstance(installed, dict):
        raise MalformedReport(f'vulnerabilities[{n}] has no "installed"')
    names = ("name", "version", "arch", "source", "sourceVersion")
    values = [fields.text(installed.get(name), f"vulnerabilities[{n}].installed.{name}", least=0) for name in names]
    return ReportedFinding(vulnerability, Installed(*values))


def _vulnerability(n: int, record: Any) -> Vulnerability:
    try:
        vulnerability = from_wire(record)
    except MalformedWire as error:
        raise MalformedReport(f"vulnerabilities[{n}]: {error}"[:300]) from error
    fields.text(vulnerability.name, f"vulnerabilities[{n}].name")
    return vulnerability
