"""Findings: one for each pair of vulnerability id and affected package, even if several records match the pair."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from datetime import date
from operator import attrgetter

from attrs import evolve, frozen

from patches.scanner.inventory import Package
from patches.scanner.matching.comparison import FixComparison
from patches.scanner.matching.matcher import Match
from patches.shared_values import SharedValues
from patches.tracks import extension_of
from patches.vulnerability import Facts, FixedPackage, Severity, Vulnerability


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


@frozen(weakref_slot=False)
class Finding:
    """
    A vulnerability id that affects an installed package.

    :ivar vulnerability_id: the CVE; the record's own name if the record has no CVE.
    :ivar fixed: the fix that the package lacks. Of several fixes it is that for the same minor release, else the
        highest, because only that one repairs everything that the records describe; a fix of the main line goes before
        one that needs a subscription, and a fix of a track that the host has before both. It has no version if no fix
        exists yet.
    :ivar records: every record of the vulnerability id that matched, never empty; a record of that name is the first.
    :ivar running: for a package of a kernel, whether that kernel is running; ``None`` if this is not known, or if the
        package is not a kernel's.
    :ivar ignored: the decision to ignore the finding; ``None`` if the finding counts.
    :ivar compared: the version that was compared: that of the source package if the fix names a source package.
    :ivar track: the track of the fix; ``None``: the main line.
    :ivar remark: what a user should know about the fix; ``None`` if there is nothing.
    :ivar is_old_kernel: whether the package is of a kernel that is kept, but is older than the running one.
    """

    vulnerability_id: str
    package: Package
    fixed: FixedPackage
    records: tuple[Vulnerability, ...]
    running: bool | None = None
    ignored: Ignored | None = None
    compared: str = ""
    track: str | None = None
    is_old_kernel: bool = False
    remark: str | None = None

    @property
    def severity(self) -> Severity:
        """The highest severity in the records."""
        this = self.vulnerability_id
        return max(record.facts_of(this).severity if record.facts else record.severity for record in self.records)

    @property
    def severity_source(self) -> str | None:
        """The origin of the severity: the name of a source, ``nvd``, ``cna`` or ``adp``; ``None`` if it is unknown."""
        rated = [(record, record.facts_of(self.vulnerability_id)) for record in self.records]
        record, facts = max(rated, key=lambda pair: pair[1].severity)
        return facts.severity_source or (record.source or None if facts.severity is not Severity.UNKNOWN else None)

    @property
    def facts(self) -> Facts:
        """The facts about the vulnerability id in all records: the worst of each."""
        known = [record.facts_of(self.vulnerability_id) for record in self.records]
        scored = max(known, key=_score)
        kev = min((facts.kev for facts in known if facts.kev is not None), default=None)
        epss = max((facts.epss for facts in known if facts.epss is not None), default=None)
        return Facts(self.severity, self.severity_source, scored.cvss, scored.score, kev, epss)

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
        """The installed version, as the native tool prints it."""
        return native_version(self.package.version)

    @property
    def compared_version(self) -> str | None:
        """The version that was compared; ``None`` if it is the installed one."""
        compared = native_version(self.compared)
        return compared if compared and compared != self.installed_version else None


class Findings:
    """
    Collects matches and joins them to findings. A host may have very many, so each is kept small.

    :param scheme: the version scheme that orders the fixes.
    """

    def __init__(self, scheme: str) -> None:
        self._comparison = FixComparison(scheme)
        self._shared = SharedValues()
        self._matches: dict[Package, dict[str, Match | list[Match]]] = {}

    def add(self, match: Match) -> None:
        """Add a match. An advisory results in one finding for each of its vulnerability ids."""
        match = self._small(match)
        by_id = self._matches.setdefault(match.package, {})
        for vulnerability_id in match.vulnerability.vulnerability_ids:
            before = by_id.setdefault(vulnerability_id, match)
            if isinstance(before, list):
                before.append(match)
            elif before is not match:
                by_id[vulnerability_id] = [before, match]

    def _small(self, match: Match) -> Match:
        return evolve(
            match,
            vulnerability=self._shared.record(match.vulnerability),
            fixed=self._shared.fix(match.fixed),
            version=self._shared.text(match.version),
            track=self._shared.text(match.track),
            remark=self._shared.text(match.remark),
        )

    def all(
        self,
        running: Mapping[Package, bool],
        old: Container[Package] = (),
        counts: Callable[[str, Match], bool] = lambda vulnerability_id, match: True,
    ) -> list[Finding]:
        """
        Return the findings, the most severe first. It can be called once: the matches are dropped on the way.

        :param running: for each package of a kernel, whether that kernel is running.
        :param old: the packages of kernels that are older than the running one.
        :param counts: whether a match makes a finding of a vulnerability id.
        """
        found = []
        for package in tuple(self._matches):
            for vulnerability_id, kept in self._matches.pop(package).items():
                matches = kept if isinstance(kept, list) else [kept]
                matches = [match for match in matches if counts(vulnerability_id, match)]
                if matches:
                    finding = self._finding(vulnerability_id, matches)
                    if package in running:
                        finding = evolve(finding, running=running[package], is_old_kernel=package in old)
                    found.append(finding)
        sort_by_severity(found)
        return found

    def _finding(self, vulnerability_id: str, matches: list[Match]) -> Finding:
        matches = sorted(
            matches, key=lambda match: (match.vulnerability.name != vulnerability_id, match.vulnerability.name)
        )
        records = self._shared.records(tuple(dict.fromkeys(match.vulnerability for match in matches)))
        chosen = matches[0] if len(matches) == 1 else self._chosen(matches)
        return Finding(
            vulnerability_id,
            chosen.package,
            chosen.fixed,
            records,
            compared=chosen.version,
            track=chosen.track,
            remark=chosen.remark,
        )

    def _chosen(self, matches: list[Match]) -> Match:
        """Return the match whose fix is shown."""
        matches = [match for match in matches if match.fixed.has_fix] or matches
        matches = [match for match in matches if match.has_own_tag] or matches
        matches = [match for match in matches if match.is_own] or matches
        matches = [match for match in matches if extension_of(match.track) is None or match.is_own] or matches
        return max(matches, key=lambda match: self._comparison.order(match.fixed.version or match.fixed.last_affected))


def _score(facts: Facts) -> tuple[float, bool]:
    return facts.score if facts.score is not None else -1.0, facts.cvss is not None


def native_version(version: str) -> str:
    """Return a version as the native tool prints it: rpm omits an epoch of zero."""
    return version.removeprefix("0:")


def sort_by_severity(findings: list[Finding]) -> None:
    """Sort findings in place, without a key for each in memory: the most severe first, then by package and id."""
    for key in ("package.version", "package.arch", "vulnerability_id", "package.name"):
        findings.sort(key=attrgetter(key))
    findings.sort(key=attrgetter("severity"), reverse=True)
