"""
Parser of a scanner's report: converts the JSON to a frozen value, or refuses it with a reason.

A report may have any number of findings, so they are never all in memory: the file is read once to check every finding,
and again by whoever iterates over them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, BinaryIO, Generic, TypeVar

from attrs import define, evolve, field, frozen

from patches.escaping import escaped_record
from patches.reporter import fields
from patches.reporter.fields import MalformedReport
from patches.reporter.json_stream import ListItem, ObjectMember, parse_object
from patches.vulnerability import FOLLOWED, Vulnerability
from patches.wire import MalformedWire, from_wire

T = TypeVar("T")

_LIST = "vulnerabilities"
#: A report of the first scanner has none of these members.
_FACTS = ("host", "platform", "scan")


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
class ReadAgain(Generic[T]):
    """
    The findings of a report, parsed anew by each iteration; it blocks, and their file must be open.

    :ivar file: the report.
    :ivar parse: parses a finding by its number and its JSON; ``None``: it does not count.
    :ivar size: their number.
    """

    file: BinaryIO
    parse: Callable[[int, Any], T | None]
    size: int

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[T]:
        for part in parse_object(self.file, _LIST):
            found = self.parse(part.number, part.value) if isinstance(part, ListItem) else None
            if found is not None:
                yield found


@frozen
class Report:
    """The whole state of a host after a scan."""

    host: str
    platform: str
    scan: Scan
    findings: ReadAgain[ReportedFinding]


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
    findings: ReadAgain[Vulnerability]
    unreadable: int = 0


def parse_report(file: BinaryIO, peer: str) -> Report | BareReport:
    """
    Parse a report; blocks.

    :param file: read again by whoever iterates over the findings.
    :param peer: the sender's address. It names the host in a report of the first Patches scanner, which has only
        ``{"vulnerabilities": […]}``.
    :raises MalformedReport: if the report is not valid.
    """
    found = _Checked()
    for part in parse_object(file, _LIST):
        if isinstance(part, ObjectMember):
            found.members[part.name] = part.value
        else:
            found.check(part)
    if not isinstance(found.members.get(_LIST), list):
        raise MalformedReport('"vulnerabilities" must be a list')
    if found.members.keys().isdisjoint(_FACTS):
        findings = ReadAgain(file, _found_by_first, found.bare)
        return BareReport(fields.host(peer), found.platform, findings, found.unreadable)
    if found.problem is not None:
        raise found.problem
    scan = _scan(found.members.get("scan"), found.count)
    host, platform = fields.host(found.members.get("host")), fields.platform(found.members.get("platform"))
    return Report(host, platform, scan, ReadAgain(file, _finding, found.count))


def fingerprint(vulnerability: Vulnerability) -> str:
    """
    Return a text that is the same for all copies of a finding: a hash of its id, its platform and its fixed packages.

    Severity and link may change while a scan goes on: they are no part of it.
    """
    packages = sorted((package.name, package.version or "") for package in vulnerability.fixed_in)
    named = json.dumps([vulnerability.platform, vulnerability.name, packages])
    return hashlib.sha256(named.encode()).hexdigest()


@define(eq=False)
class _Checked:
    """
    The first reading of a report, which may be one of the first scanner until its end.

    Such a report is never sent again: what is odd in it is left out.

    :ivar count: the number of findings.
    :ivar problem: of the first finding that is not valid.
    :ivar bare: the number of findings, if it is one of the first scanner.
    :ivar unreadable: the number of records that are not vulnerabilities, if it is one of the first scanner.
    :ivar platform: that of the last finding.
    """

    members: dict[str, Any] = field(factory=dict)
    count: int = 0
    problem: MalformedReport | None = None
    bare: int = 0
    unreadable: int = 0
    platform: str | None = None

    def check(self, item: ListItem) -> None:
        """Check a finding; if it cannot be one of either kind, the rest is not read."""
        self.count += 1
        is_bare = self.members.keys().isdisjoint(_FACTS)
        found: Vulnerability | None = None
        if self.problem is None:
            try:
                found = _finding(item.number, item.value).vulnerability
            except MalformedReport as error:
                self.problem = error
        if not is_bare and self.problem is not None:
            raise self.problem
        if is_bare:
            self._check_bare(item, found)

    def _check_bare(self, item: ListItem, found: Vulnerability | None) -> None:
        try:
            found = _bare_finding(item.number, item.value) if found is None else found
            fields.platform(found.platform)
        except MalformedReport:
            self.unreadable += 1
            return
        # A list of the packages that a source follows is no finding: the first scanner does not know such records.
        if found.name != FOLLOWED:
            self.bare += 1
            self.platform = found.platform


def _found_by_first(n: int, record: Any) -> Vulnerability | None:
    try:
        found = _bare_finding(n, record)
    except MalformedReport:
        return None
    return found if found.name != FOLLOWED else None


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
        vulnerability = escaped_record(from_wire(record))
    except MalformedWire as error:
        raise MalformedReport(f"vulnerabilities[{n}]: {error}"[:300]) from error
    fields.text(vulnerability.name, f"vulnerabilities[{n}].name")
    return vulnerability
