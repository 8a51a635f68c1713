"""
The platforms that are served, and the current snapshot of each.

A platform is served if it was chosen, or, where none were chosen, if a configured source or the catalogue has it. Any
other platform is requested from public feeds from the first request on. A follower knows the platforms that the leader
has published.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from patches.interfaces import Run
from patches.server.catalogue.snapshot import Snapshot
from patches.server.catalogue.store import Catalogue
from patches.server.errors import NotReady, UnknownPlatform
from patches.server.refresh.on_demand import RequestedPlatforms
from patches.server.refresh.source_set import NOTHING, SourceSet
from patches.server.refresh.status import ListStatus

#: The shortest time between writes of the time of check, where no other server reads it; in seconds.
_SELDOM_SECONDS = 3600.0


class PlatformRegistry:
    """
    The platforms of one server.

    :param chosen: the platforms to serve; empty: all that there are.
    :param run: runs what blocks.
    :param leads: returns whether this server is the one that refreshes.
    :ivar chosen: likewise; ``None``: all that there are.
    :ivar statuses: by platform.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        source_set: SourceSet,
        requested: RequestedPlatforms,
        chosen: Iterable[str],
        run: Run,
        leads: Callable[[], bool],
    ) -> None:
        self.chosen = frozenset(chosen) or None
        self.statuses: dict[str, ListStatus] = {name: ListStatus() for name in self.chosen or ()}
        self._catalogue = catalogue
        self._source_set = source_set
        self._requested = requested
        self._run = run
        self._leads = leads

    def current(self, platform: str) -> Snapshot:
        """
        Return the current snapshot of a platform.

        :raises UnknownPlatform: if it is not served.
        :raises NotReady: if it has not been read yet.
        """
        if not self._may_be(platform):
            raise UnknownPlatform(platform)
        status = self.statuses.get(platform)
        if status is None or status.snapshot is None:
            raise NotReady(platform)
        return status.snapshot

    def _may_be(self, platform: str) -> bool:
        """Return whether a platform is or may be served; one that only public feeds may have is requested."""
        if self.chosen is not None:
            return platform in self.chosen
        if platform in self.promised or not (self.is_known or platform in self._requested.wanted):
            return True
        return self._requested.ask(platform) or platform in self.statuses

    @property
    def is_known(self) -> bool:
        """Whether the platforms are known."""
        if self.chosen is not None or not self._source_set.is_configured:
            return True
        return bool(self.statuses) and self._source_set.is_known if self._leads() else bool(self._requested.known)

    @property
    def promised(self) -> frozenset[str]:
        """The platforms that are served without a request, as far as they are known."""
        if self.chosen is not None:
            return self.chosen
        return frozenset(self._source_set.platforms) if self._leads() else self._requested.known

    @property
    def wanted_of_public(self) -> frozenset[str]:
        """The requested platforms that no configured source has."""
        if self.chosen is not None and not self._source_set.is_known:
            return frozenset()
        wanted = self.chosen if self.chosen is not None else frozenset(self._requested.wanted)
        return wanted - self._source_set.platforms

    @property
    def expected(self) -> set[str]:
        """The platforms that must have a snapshot."""
        return {*self.promised, *(self._requested.wanted if self.chosen is None else ())}

    @property
    def ready(self) -> bool:
        """Whether every platform has a snapshot, except requested ones that have not been read yet."""
        statuses = self.statuses.values()
        registry = any(status.snapshot is not None for status in statuses)
        return registry and all(status.snapshot is not None or status.on_demand for status in statuses)

    @property
    def problem(self) -> str | None:
        """The problem of a source, if there is one; a follower knows of none."""
        if not self._leads():
            return None
        return NOTHING if not self.statuses and self._source_set.is_empty else self._source_set.problem

    async def load_current(self) -> None:
        """
        Load the current snapshots of the catalogue, and those that are held back.

        They are from an earlier run, or another process published them: an operator's command, another server.
        """
        found = {snapshot.platform: snapshot for snapshot in await self._run(self._catalogue.current)}
        held_back = {snapshot.platform: snapshot for snapshot in await self._run(self._catalogue.held_back)}
        expected, promised, leads = self.expected, self.promised, self._leads()
        here = expected | (found.keys() if self.chosen is None else set())
        for platform in self.statuses.keys() - here:
            del self.statuses[platform]
        checked: dict[str, float] = {}
        least = 0.0 if self._catalogue.is_shared else _SELDOM_SECONDS
        for platform in sorted(here):
            status = self.statuses.setdefault(platform, ListStatus())
            status.on_demand = platform not in promised
            source_lists = self._source_set.source_lists(platform)
            later = status.load_current(found.get(platform), held_back.get(platform), leads, source_lists)
            checked |= {snapshot.revision: time for snapshot, time in later if time - snapshot.checked >= least}
        if checked:
            await self._run(self._catalogue.mark_checked, checked)
