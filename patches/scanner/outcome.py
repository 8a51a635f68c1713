"""What came of a scan: one verdict, and everything that stands behind it."""

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
    """In what a scan ends. ``CLEAN`` is said of what was compared only; :class:`Coverage` tells what was not."""

    CLEAN = "clean"
    FINDINGS = "findings"
    INCOMPLETE = "incomplete"  # it is not proved that the whole list was compared
    STALE = "stale"  # the list is older than is allowed
    UNSUPPORTED = "unsupported"  # there is no list for this platform
    ERROR = "error"  # the packages could not be read


@frozen
class Target:
    """
    What to scan.

    :ivar host: the name under which it is reported.
    :ivar platform: which list it is compared with.
    :ivar root: its root folder; ``/`` for this host.
    :ivar running: the release of the kernel that runs, as ``uname -r`` gives it; ``None`` if no kernel of it runs.
    :ivar channels: the channels it is subscribed to; ``None``: what its files tell.
    :ivar support_end: the month in which its support ends, where its ``os-release`` tells: ``2028-06``.
    """

    host: str
    platform: str
    root: Path
    running: str | None = None
    channels: frozenset[str] | None = None
    support_end: str | None = None


@frozen
class Coverage:
    """
    What was judged of the packages, each counted once.

    :ivar installed: how many there are.
    :ivar affected: those with a finding, be there a fix or not.
    :ivar not_evaluated: of the others those that a record names and that could not be compared with it: why.
    :ivar not_covered: of the others those that came from elsewhere than the distribution, of which its sources know
        nothing.
    :ivar packages: all of them.
    :ivar scheme: how their versions compare: ``dpkg``, ``rpm`` or ``apk``; ``None`` if they could not be read.
    """

    installed: int = 0
    affected: tuple[Package, ...] = ()
    not_evaluated: Mapping[Package, tuple[str, ...]] = field(factory=dict)
    not_covered: tuple[Package, ...] = ()
    packages: tuple[Package, ...] = ()
    scheme: str | None = None

    @property
    def fine(self) -> int:
        """How many were judged, and are not affected."""
        return self.installed - len(self.affected) - len(self.not_evaluated) - len(self.not_covered)


@frozen
class ListInfo:
    """
    The list that was compared; times as RFC 3339.

    :ivar served: how many vulnerabilities came from the server.
    :ivar revision: its snapshot's name; ``None`` if no session became active.
    :ivar digest: what came, once it was verified whole.
    :ivar created: when its content was first published.
    :ivar checked: when its sources last gave that very content.
    :ivar away: why a list that was kept here was compared in place of the server's; ``None`` if it was not.
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
    What came of a scan; times in seconds since the epoch.

    :ivar verdict: in what it ends.
    :ivar problem: why it is neither clean nor findings, in one line; else ``None``.
    :ivar findings: what affects the packages and has a fix; those that are ignored too.
    :ivar unfixed: what affects them and has none.
    :ivar with_unfixed: whether what has no fix is shown with the rest, and counts; else it is told how much it is.
    :ivar not_evaluated: how many comparisons could not be made, by reason.
    :ivar kernels: which are installed and running; ``None`` if none is installed.
    :ivar end_of_life: the month in which the platform's support ended; ``None`` if it did not.
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
        """Whether the whole list was compared with the whole inventory. If not, nothing here is said to be fine."""
        return self.verdict in (Verdict.CLEAN, Verdict.FINDINGS, Verdict.STALE)

    @property
    def shown(self) -> tuple[Finding, ...]:
        """The findings to show, the severest first; those that are ignored too."""
        if not self.with_unfixed:
            return self.findings
        return tuple(sorted((*self.findings, *self.unfixed), key=by_severity))

    @property
    def counted(self) -> tuple[Finding, ...]:
        """The findings that are shown and not ignored."""
        return tuple(finding for finding in self.shown if finding.ignored is None)
