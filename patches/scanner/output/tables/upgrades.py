"""
Upgrades: the findings that one new version of a source package repairs, as one value.

A distribution releases source packages, and the binary packages of one of them are upgraded together. A host with
thousands of findings has some hundred upgrades.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from attrs import frozen

from patches.scanner.inventory import Package
from patches.scanner.matching.comparison import EVERY_ARCH, FixComparison
from patches.scanner.matching.findings import Finding
from patches.scanner.output.phrases import fix_text, score_of_finding
from patches.vulnerability import Severity


@frozen
class Upgrade:
    """
    An upgrade of one source package, or the reason why there is no upgrade.

    :ivar source: the name of the source package.
    :ivar packages: the installed packages that are affected, each once.
    :ivar installed: the installed version, as it is compared.
    :ivar fixed: the lowest version that repairs all findings, or why there is no such version.
    :ivar findings: the number of findings.
    :ivar ids: the vulnerability ids, each with its highest severity.
    :ivar worst: the finding of the worst id: of the most severe ones, one that is known to be exploited goes first.
    :ivar exploited: the ids that CISA lists as known to be exploited, sorted.
    :ivar epss: the highest band of the EPSS percentile of an id; ``None`` if none is known.
    """

    source: str
    packages: tuple[Package, ...]
    installed: str
    fixed: str
    findings: int
    ids: dict[str, Severity]
    worst: Finding
    exploited: tuple[str, ...] = ()
    epss: float | None = None

    @property
    def severity(self) -> Severity:
        """The highest severity of its ids."""
        return self.worst.severity

    @property
    def is_dim(self) -> bool:
        """Whether the packages are not in use."""
        return self.worst.running is False

    @property
    def name(self) -> str:
        """The name of the source package, with the architectures if there are several."""
        arches = arches_of(self.packages)
        return f"{self.source} ({', '.join(arches)})" if len(arches) > 1 else self.source


def arches_of(packages: Iterable[Package]) -> list[str]:
    """Return the architectures of packages, without those that stand for every machine."""
    return sorted({package.arch for package in packages} - EVERY_ARCH - {""})


def upgrades_of(findings: Iterable[Finding], scheme: str | None) -> list[Upgrade]:
    """
    Return the upgrades that repair findings, the most severe first.

    :param scheme: the version scheme, in which the highest of several fixed versions is found.
    """
    groups: dict[tuple[Any, ...], list[Finding]] = {}
    for finding in findings:
        groups.setdefault(_key(finding), []).append(finding)
    order = FixComparison(scheme or "").order
    return sorted((_upgrade(group, order) for group in groups.values()), key=_precedence)


def _key(finding: Finding) -> tuple[Any, ...]:
    """Return what the findings of one upgrade have in common."""
    package, fixed = finding.package, finding.fixed
    without_fix = None if fixed.has_fix else fix_text(fixed, finding.track)
    return package.source, package.source_version, finding.track, finding.running is False, without_fix


def _upgrade(group: Sequence[Finding], order: Callable[[str | None], Any]) -> Upgrade:
    ids: dict[str, Severity] = {}
    for finding in group:
        ids[finding.vulnerability_id] = max(finding.severity, ids.get(finding.vulnerability_id, Severity.UNKNOWN))
    chosen = _representative(group)
    alike = [each for each in group if _installed(each) == _installed(chosen)]
    highest = max(alike, key=lambda each: order(each.fixed.version or each.fixed.last_affected))
    remark = f" ({highest.remark})" if highest.remark else ""
    not_running = ", not running" if chosen.running is False else ""
    return Upgrade(
        chosen.package.source + not_running,
        tuple(sorted({each.package for each in group}, key=lambda package: (package.name, package.arch))),
        _installed(chosen),
        fix_text(highest.fixed, highest.track) + remark,
        len(group),
        ids,
        max(group, key=_badness),
        tuple(sorted({each.vulnerability_id for each in group if each.facts.kev is not None})),
        max((each.facts.epss for each in group if each.facts.epss is not None), default=None),
    )


def _representative(group: Sequence[Finding]) -> Finding:
    """
    Return the finding whose versions stand for the others.

    Binary packages of one source may have versions of their own; then the one that has the source's name goes first,
    and else the one with the most findings.
    """
    counts = Counter(each.package.name for each in group)
    return min(group, key=lambda each: (each.package.name != each.package.source, -counts[each.package.name]))


def _installed(finding: Finding) -> str:
    return finding.compared_version or finding.installed_version


def _badness(finding: Finding) -> tuple[Severity, bool, float, str]:
    is_exploited = finding.facts.kev is not None
    return finding.severity, is_exploited, score_of_finding(finding) or 0.0, finding.vulnerability_id


def _precedence(upgrade: Upgrade) -> tuple[Any, ...]:
    counts = Counter(upgrade.ids.values())
    return *(-counts[severity] for severity in sorted(Severity, reverse=True)), upgrade.source, upgrade.installed
