"""Findings: one for each pair of vulnerability id and affected package, even if several records match the pair."""

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
    The reason why a finding is ignored, and the day on which the decision expires.

    :ivar reason: the author's own words.
    :ivar expires: the first day on which the finding counts again; ``None`` if the decision never expires.
    :ivar status: the state of the host according to the decision, as an OpenVEX status: ``affected`` (the risk is
        accepted), ``not_affected`` or ``fixed``.
    :ivar justification: OpenVEX's keyword for why the host is not affected; ``None`` if the decision has no keyword.
    """

    reason: str
    expires: date | None
    status: str = "affected"
    justification: str | None = None


@frozen
class Finding:
    """
    A vulnerability id that affects an installed package.

    :ivar vulnerability_id: the CVE; the record's own name if the record has no CVE.
    :ivar fixed: the fix that the package lacks. Of several fixes it is the highest, because only that one repairs
        everything that the records describe. It has no version if no fix exists yet.
    :ivar records: every record of the vulnerability id that matched, never empty; a record of that name is the first.
    :ivar running: for a package of a kernel, whether that kernel is running; ``None`` if this is not known, or if the
        package is not a kernel's.
    :ivar ignored: the decision to ignore the finding; ``None`` if the finding counts.
    """

    vulnerability_id: str
    package: Package
    fixed: FixedPackage
    records: tuple[Vulnerability, ...]
    running: bool | None = None
    ignored: Ignored | None = None

    @property
    def severity(self) -> Severity:
        """The highest severity in the records."""
        return max(record.severity for record in self.records)

    @property
    def details_href(self) -> str:
        """The URL of a description; empty if the records have no URL."""
        return next((record.details_href for record in self.records if record.details_href), "")

    @property
    def sources(self) -> tuple[str, ...]:
        """The vulnerability sources of the records, without repetition."""
        return tuple(dict.fromkeys(record.source for record in self.records))

    @property
    def platform(self) -> str:
        """The platform of the records."""
        return self.records[0].platform

    @property
    def names(self) -> tuple[str, ...]:
        """All names of the finding: the vulnerability id, the names of the records, and their aliases."""
        other = [name for record in self.records if self.vulnerability_id == record.name for name in record.aliases]
        return tuple(dict.fromkeys([self.vulnerability_id, *(record.name for record in self.records), *other]))

    @property
    def installed_version(self) -> str:
        """The version that was compared: that of the source package if the fix names a source package."""
        return self.package.source_version if self.fixed.kind == "source" else self.package.version


class Findings:
    """
    Collects matches and joins them to findings.

    :param scheme: the version scheme that orders the fixes.
    """

    def __init__(self, scheme: str) -> None:
        self._sort_key = ordering(scheme)
        self._matches: dict[tuple[str, Package], list[Match]] = {}

    def add(self, match: Match) -> None:
        """Add a match. An advisory results in one finding for each of its vulnerability ids."""
        for vulnerability_id in match.vulnerability.vulnerability_ids:
            self._matches.setdefault((vulnerability_id, match.package), []).append(match)

    def all(self, running: Mapping[Package, bool]) -> list[Finding]:
        """
        Return the findings, the most severe first.

        :param running: for each package of a kernel, whether that kernel is running.
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
    """Return the key that sorts findings: the most severe first, then by package."""
    package = finding.package
    return (-finding.severity, package.name, finding.vulnerability_id, package.arch, package.version)
