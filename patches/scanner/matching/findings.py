"""Findings: what affects a host, once for each flaw and package, however many records tell of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from attrs import evolve, frozen

from patches.scanner.inventory import Package
from patches.scanner.matching.matcher import Match
from patches.versions import InvalidVersion, ordering
from patches.vulnerability import FixedPackage, Severity, Vulnerability


@frozen
class Ignored:
    """
    Why a finding is ignored, and until when.

    :ivar reason: in the words of who decided it.
    :ivar expires: the first day on which it counts again; ``None``: the decision does not end by itself.
    :ivar status: what the decision says of the host, in the words of OpenVEX: it is ``affected`` and that is accepted,
        or it is ``not_affected``, or ``fixed``.
    :ivar justification: of what is not affected OpenVEX's word for the reason, where the decision has one.
    """

    reason: str
    expires: date | None
    status: str = "affected"
    justification: str | None = None


@frozen
class Finding:
    """
    A flaw that affects a package that is installed.

    :ivar flaw: its CVE, or the name of the one record that tells of it.
    :ivar fixed: the fix that the package lacks: of several the highest, as only that one mends all that they tell of;
        without a fix if there is none yet.
    :ivar records: every record that tells of it; never empty, the one that is named by the flaw first.
    :ivar running: of a kernel's package whether that kernel runs; ``None`` where this is not known, or is no kernel.
    :ivar ignored: set if it is not to count.
    """

    vulnerability_id: str
    package: Package
    fixed: FixedPackage
    records: tuple[Vulnerability, ...]
    running: bool | None = None
    ignored: Ignored | None = None

    @property
    def severity(self) -> Severity:
        """The highest that a record gives it."""
        return max(record.severity for record in self.records)

    @property
    def details_href(self) -> str:
        """Where to read more; empty if no record tells."""
        return next((record.details_href for record in self.records if record.details_href), "")

    @property
    def sources(self) -> tuple[str, ...]:
        """The vulnerability sources that tell of it."""
        return tuple(dict.fromkeys(record.source for record in self.records))

    @property
    def platform(self) -> str:
        """The platform that the records are for."""
        return self.records[0].platform

    @property
    def names(self) -> tuple[str, ...]:
        """Everything by which it is called: the flaw, its records, and what else these call it."""
        other = [name for record in self.records if self.vulnerability_id == record.name for name in record.aliases]
        return tuple(dict.fromkeys([self.vulnerability_id, *(record.name for record in self.records), *other]))

    @property
    def installed_version(self) -> str:
        """The version that was compared: the source package's, where the fix names that."""
        return self.package.source_version if self.fixed.kind == "source" else self.package.version


class Findings:
    """
    Collects matches, and makes findings of them.

    :param scheme: how the versions compare.
    """

    def __init__(self, scheme: str) -> None:
        self._sort_key = ordering(scheme)
        self._matches: dict[tuple[str, Package], list[Match]] = {}

    def add(self, match: Match) -> None:
        """Take up a match: of an advisory, one finding for each of its flaws."""
        for vulnerability_id in match.vulnerability.flaws:
            self._matches.setdefault((vulnerability_id, match.package), []).append(match)

    def all(self, running: Mapping[Package, bool]) -> list[Finding]:
        """
        Give the findings, the severest first.

        :param running: of the packages of kernels, whether their kernel runs.
        """
        found = [self._finding(vulnerability_id, matches) for (vulnerability_id, _), matches in self._matches.items()]
        told = [evolve(each, running=running[each.package]) if each.package in running else each for each in found]
        return sorted(told, key=by_severity)

    def _finding(self, vulnerability_id: str, matches: list[Match]) -> Finding:
        matches = sorted(
            matches, key=lambda match: (match.vulnerability.name != vulnerability_id, match.vulnerability.name)
        )
        records = tuple(dict.fromkeys(match.vulnerability for match in matches))
        return Finding(vulnerability_id, matches[0].package, self._highest([match.fixed for match in matches]), records)

    def _highest(self, fixes: list[FixedPackage]) -> FixedPackage:
        fixes = [fix for fix in fixes if fix.has_fix] or fixes
        return fixes[0] if len(fixes) == 1 else max(fixes, key=self._key)

    def _key(self, fix: FixedPackage) -> tuple[bool, Any]:
        try:
            version = fix.version or fix.last_affected
            return (True, self._sort_key(version)) if self._sort_key and version else (False, ())
        except InvalidVersion:
            return (False, ())


def by_severity(finding: Finding) -> tuple[int, str, str, str, str]:
    """Give the key by which findings are sorted: the severest first, then by package."""
    package = finding.package
    return (-finding.severity, package.name, finding.vulnerability_id, package.arch, package.version)
