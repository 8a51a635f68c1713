"""The outcome of a scan: the verdict, with the findings, the coverage and the list on which it is based."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from attrs import field, frozen

from patches.scanner.host.kernels import Kernels
from patches.scanner.host.os_release import System
from patches.scanner.inventory import Package
from patches.scanner.matching.coverage import Origins, general_reason
from patches.scanner.matching.findings import Finding, sort_by_severity


class Verdict(StrEnum):
    """A scan's result. ``CLEAN`` covers only the packages that were compared; :class:`Coverage` lists the others."""

    CLEAN = "clean"
    FINDINGS = "findings"
    INCOMPLETE = "incomplete"  # it is not proven that the whole list was compared
    STALE = "stale"  # the list is older than allowed
    UNSUPPORTED = "unsupported"  # there is no list for this platform
    ERROR = "error"  # the packages could not be read, or the scan failed


@frozen
class Target:
    """
    The host to scan.

    :ivar host: the name under which it is reported.
    :ivar platform: the platform whose list it is compared with.
    :ivar root: its root folder; ``/`` for this host.
    :ivar running: the release of its running kernel, as ``uname -r`` prints it; ``None`` if it is not the running host.
    :ivar tracks: the tracks that are enabled on it; ``None`` to detect them from its files.
    :ivar system: what its own files say that it is.
    :ivar origins: the operator's word about origins of packages.
    """

    host: str
    platform: str
    root: Path
    running: str | None = None
    tracks: frozenset[str] | None = None
    system: System = field(factory=System)
    origins: Origins = field(factory=Origins)


@frozen
class Coverage:
    """
    The packages of the host, by the result of the scan; each package is counted once.

    :ivar installed: the number of packages.
    :ivar affected: the packages with a finding, whether or not a fix exists.
    :ivar not_evaluated: of the others, the packages that could not be compared, with the reasons.
    :ivar not_covered: of the others, the packages that the list is not about or does not know, with the reason.
    :ivar packages: all packages.
    :ivar scheme: the version scheme: ``dpkg``, ``rpm`` or ``apk``; ``None`` if the packages could not be read.
    :ivar origins: the number of packages of each origin that is in no table; they were compared.
    :ivar tracks: the tracks that the host has besides the main line.
    """

    installed: int = 0
    affected: tuple[Package, ...] = ()
    not_evaluated: Mapping[Package, tuple[str, ...]] = field(factory=dict)
    not_covered: Mapping[Package, str] = field(factory=dict)
    packages: tuple[Package, ...] = ()
    scheme: str | None = None
    origins: Mapping[str, int] = field(factory=dict)
    tracks: frozenset[str] = frozenset()

    @property
    def unjudged(self) -> int:
        """The number of packages of which the scan cannot say that they are affected or fine."""
        return len(self.not_evaluated) + len(self.not_covered)

    @property
    def unjudged_by_reason(self) -> Mapping[str, int]:
        """The number of unjudged packages by reason; the reasons name neither packages nor their makers."""
        reasons = [
            *(f"not evaluated: {why[0].partition(':')[0].partition(' (')[0]}" for why in self.not_evaluated.values()),
            *(f"not covered: {general_reason(why)}" for why in self.not_covered.values()),
        ]
        return Counter(reasons)

    @property
    def fine(self) -> int:
        """The number of packages that were judged and are not affected."""
        return self.installed - len(self.affected) - len(self.not_evaluated) - len(self.not_covered)


@frozen
class ListInfo:
    """
    The list that was compared; times are texts as in RFC 3339.

    :ivar served: the number of vulnerabilities that were received.
    :ivar revision: the name of its snapshot; ``None`` if no session became active.
    :ivar digest: the digest of the received list; ``None`` unless the whole list was verified.
    :ivar created: the time at which this content was first published.
    :ivar checked: the time at which its sources last confirmed this content.
    :ivar away: why the cached list was compared instead of the server's; ``None`` if it was not.
    :ivar skew: the seconds by which the server's clock is ahead of this host's, if by more than ten minutes; then the
        age of the list is by the server's clock. ``None`` if it is not, or is not known.
    :ivar unread: the number of entries of its sources that the server could not read, and whose package is not known.
    :ivar enrichments: the facts of enriching sources that it was made with: ``cvss``, ``epss``, ``kev``.
    """

    served: int = 0
    revision: str | None = None
    digest: str | None = None
    created: str | None = None
    checked: str | None = None
    away: str | None = None
    unread: int = 0
    skew: float | None = None
    enrichments: tuple[str, ...] = ()


@frozen
class Outcome:
    """
    The outcome of a scan; times are in seconds since the epoch.

    :ivar verdict: how the scan ended.
    :ivar problem: the reason in one line, unless the verdict is ``clean`` or ``findings``; else ``None``.
    :ivar findings: the findings with a fix, including the ignored ones.
    :ivar unfixed: the findings without a fix, including the ignored ones.
    :ivar with_unfixed: whether findings without a fix are shown with the others, and count; otherwise only their number
        is shown.
    :ivar not_evaluated: the number of comparisons that were not possible, by reason.
    :ivar unjudged_records: the names of the records that name an unjudged package, with the reason.
    :ivar is_truncated: whether there are more of these records than are remembered.
    :ivar headers: the number of records that name headers or documentation of a kernel only.
    :ivar with_old_kernels: whether findings of kernels that are older than the running one count.
    :ivar system: what the host says that it is.
    :ivar kernels: the installed kernels and the running one; ``None`` if no kernel is installed.
    :ivar cache_problem: why the list could not be kept for the next scan; ``None``: it was, or is not to be.
    :ivar end_of_life: the month in which the platform's support ended; ``None`` if it has not ended.
    """

    host: str
    platform: str
    started: float
    finished: float
    verdict: Verdict
    scan_id: str = field(factory=lambda: uuid.uuid4().hex)
    problem: str | None = None
    coverage: Coverage = field(factory=Coverage)
    findings: tuple[Finding, ...] = ()
    unfixed: tuple[Finding, ...] = ()
    not_evaluated: Mapping[str, int] = field(factory=dict)
    unjudged_records: Mapping[str, str] = field(factory=dict)
    is_truncated: bool = False
    headers: int = 0
    with_old_kernels: bool = False
    system: System = field(factory=System)
    kernels: Kernels | None = None
    end_of_life: str | None = None
    list_info: ListInfo = field(factory=ListInfo)
    with_unfixed: bool = False
    cache_problem: str | None = None

    @property
    def complete(self) -> bool:
        """Whether the whole list was compared with the whole inventory; otherwise no package may be called fine."""
        return self.verdict in (Verdict.CLEAN, Verdict.FINDINGS, Verdict.STALE)

    @property
    def shown(self) -> tuple[Finding, ...]:
        """The findings to show, the most severe first, including the ignored ones."""
        if not self.with_unfixed:
            return self.findings
        shown = [*self.findings, *self.unfixed]
        sort_by_severity(shown)
        return tuple(shown)

    @property
    def counted(self) -> tuple[Finding, ...]:
        """The findings that are shown and count: not ignored, and not of an old kernel unless these count too."""
        return tuple(
            finding
            for finding in self.shown
            if finding.ignored is None and (self.with_old_kernels or not finding.is_old_kernel)
        )
