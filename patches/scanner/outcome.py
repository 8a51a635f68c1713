"""The outcome of a scan: the verdict, with the findings, the coverage and the list on which it is based."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from attrs import field, frozen

from patches.scanner.host.kernels import Kernels
from patches.scanner.inventory import Package
from patches.scanner.matching.findings import Finding, by_severity


class Verdict(StrEnum):
    """A scan's result. ``CLEAN`` covers only the packages that were compared; :class:`Coverage` lists the others."""

    CLEAN = "clean"
    FINDINGS = "findings"
    INCOMPLETE = "incomplete"  # it is not proven that the whole list was compared
    STALE = "stale"  # the list is older than allowed
    UNSUPPORTED = "unsupported"  # there is no list for this platform
    ERROR = "error"  # the packages could not be read


@frozen
class Target:
    """
    The host to scan.

    :ivar host: the name under which it is reported.
    :ivar platform: the platform whose list it is compared with.
    :ivar root: its root folder; ``/`` for this host.
    :ivar running: the release of its running kernel, as ``uname -r`` prints it; ``None`` if it is not the running host.
    :ivar tracks: the tracks that are enabled on it; ``None`` to detect them from its files.
    :ivar support_end: the month in which its support ends, as ``2028-06``; ``None`` if its ``os-release`` has no such
        field.
    """

    host: str
    platform: str
    root: Path
    running: str | None = None
    tracks: frozenset[str] | None = None
    support_end: str | None = None


@frozen
class Coverage:
    """
    The packages of the host, by the result of the scan; each package is counted once.

    :ivar installed: the number of packages.
    :ivar affected: the packages with a finding, whether or not a fix exists.
    :ivar not_evaluated: of the others, the packages that a record names but that could not be compared with it, with
        the reasons.
    :ivar not_covered: of the others, the third-party packages, about which the distribution's sources know nothing.
    :ivar packages: all packages.
    :ivar scheme: the version scheme: ``dpkg``, ``rpm`` or ``apk``; ``None`` if the packages could not be read.
    """

    installed: int = 0
    affected: tuple[Package, ...] = ()
    not_evaluated: Mapping[Package, tuple[str, ...]] = field(factory=dict)
    not_covered: tuple[Package, ...] = ()
    packages: tuple[Package, ...] = ()
    scheme: str | None = None

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
    """

    served: int = 0
    revision: str | None = None
    digest: str | None = None
    created: str | None = None
    checked: str | None = None
    away: str | None = None


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
    :ivar kernels: the installed kernels and the running one; ``None`` if no kernel is installed.
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
    kernels: Kernels | None = None
    end_of_life: str | None = None
    list_info: ListInfo = field(factory=ListInfo)
    with_unfixed: bool = False

    @property
    def complete(self) -> bool:
        """Whether the whole list was compared with the whole inventory; otherwise no package may be called fine."""
        return self.verdict in (Verdict.CLEAN, Verdict.FINDINGS, Verdict.STALE)

    @property
    def shown(self) -> tuple[Finding, ...]:
        """The findings to show, the most severe first, including the ignored ones."""
        if not self.with_unfixed:
            return self.findings
        return tuple(sorted((*self.findings, *self.unfixed), key=by_severity))

    @property
    def counted(self) -> tuple[Finding, ...]:
        """The findings that are shown and are not ignored."""
        return tuple(finding for finding in self.shown if finding.ignored is None)
