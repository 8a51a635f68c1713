"""
The platforms that are served, and the current snapshot of each.

A platform is served if it was chosen, or, where none were chosen, if a configured source or the catalogue has it. Any
other platform is requested from public feeds from the first request on. A follower knows the platforms that the leader
has published.
"""

from __future__ import annotations

from collections.abc import Iterable

from twisted.logger import Logger

from patches.server.catalogue.pruning import MinimumAge
from patches.server.catalogue.snapshot import Snapshot
from patches.server.catalogue.store import Catalogue
from patches.server.errors import KnownEmpty, ListDamaged, NotReady, UnknownPlatform
from patches.server.refresh.on_demand import RequestedPlatforms
from patches.server.refresh.schedule import RefreshContext
from patches.server.refresh.source_set import NOTHING, SourceSet
from patches.server.refresh.status import ListStatus

#: The shortest time between writes of the time of check, where no other server reads it; in seconds.
_SELDOM_SECONDS = 3600.0
#: How long after a restart sessions may resume a replaced list, in seconds.
_SESSIONS_COME_BACK_SECONDS = 3600.0

log = Logger()


class PlatformRegistry:
    """
    The platforms of one server.

    :ivar chosen: the platforms to serve; ``None``: all that there are.
    :ivar statuses: by platform.
    :ivar requested: the platforms that are requested from public feeds.
    """

    def __init__(
        self, context: RefreshContext, catalogue: Catalogue, source_set: SourceSet, requested: RequestedPlatforms
    ) -> None:
        self.chosen = frozenset(context.schedule.platforms) or None
        self.statuses: dict[str, ListStatus] = {name: ListStatus() for name in self.chosen or ()}
        self.requested = requested
        self._context = context
        self._catalogue = catalogue
        self._source_set = source_set
        self._noted: dict[str, str] = {}

    def current(self, platform: str) -> Snapshot:
        """
        Return the current snapshot of a platform.

        :raises UnknownPlatform: if it is not served.
        :raises NotReady: if it has not been read yet.
        :raises KnownEmpty: if its sources have nothing about it.
        :raises ListDamaged: if it is damaged in the catalogue.
        """
        if not self._may_be(platform):
            raise UnknownPlatform(platform)
        status = self.statuses.get(platform)
        if status is not None and status.is_empty:
            raise KnownEmpty(platform)
        if status is None or status.snapshot is None:
            raise NotReady(platform)
        if self.damage_of(status.snapshot) is not None:
            raise ListDamaged(platform)
        return status.snapshot

    def revision_of(self, platform: str) -> str | None:
        """Return the revision of the current list of a platform; ``None`` if it cannot be served now."""
        try:
            return self.current(platform).revision
        except (UnknownPlatform, NotReady):
            return None

    def note_damage(self, revision: str, damage: object) -> None:
        """Note that a list is damaged: a snapshot or a delta; it is not served until it was made anew."""
        self._noted.setdefault(revision, str(damage))

    @property
    def noted(self) -> dict[str, str]:
        """The damage that was noted, by the revision of the list."""
        return dict(self._noted)

    def forget_damage(self, revisions: Iterable[str]) -> None:
        """Forget the damage that was noted of lists that were made anew, or are marked in the catalogue."""
        for revision in revisions:
            self._noted.pop(revision, None)

    def damage_of(self, snapshot: Snapshot) -> str | None:
        """Return what is wrong with a snapshot; ``None``: nothing that is known."""
        return snapshot.damaged or self._noted.get(snapshot.revision)

    def _may_be(self, platform: str) -> bool:
        """Return whether a platform is or may be served; one that only public feeds may have is requested."""
        if self.chosen is not None:
            return platform in self.chosen
        if platform in self.promised or not (self.is_known or platform in self.requested.wanted):
            return True
        return self.requested.ask(platform) or platform in self.statuses

    @property
    def is_known(self) -> bool:
        """Whether the platforms are known."""
        if self.chosen is not None or not self._source_set.is_configured:
            return True
        return (
            bool(self.statuses) and self._source_set.is_known if self._context.leads() else bool(self.requested.known)
        )

    @property
    def promised(self) -> frozenset[str]:
        """The platforms that are served without a request, as far as they are known."""
        if self.chosen is not None:
            return self.chosen
        return frozenset(self._source_set.platforms) if self._context.leads() else self.requested.known

    @property
    def wanted_of_public(self) -> frozenset[str]:
        """The requested platforms that no configured source has."""
        if self.chosen is not None and not self._source_set.is_known:
            return frozenset()
        wanted = self.chosen if self.chosen is not None else frozenset(self.requested.wanted)
        return wanted - self._source_set.platforms

    @property
    def expected(self) -> set[str]:
        """The platforms that must have a snapshot."""
        return {*self.promised, *(self.requested.wanted if self.chosen is None else ())}

    @property
    def ready(self) -> bool:
        """Whether a platform has a snapshot: one list can be served."""
        return any(map(self._is_whole, self.statuses.values()))

    def servable(self) -> list[Snapshot]:
        """Return the current snapshots that are not damaged, ordered by platform."""
        found = [status.snapshot for _, status in sorted(self.statuses.items())]
        return [each for each in found if each is not None and self.damage_of(each) is None]

    def _is_whole(self, status: ListStatus) -> bool:
        return status.snapshot is not None and self.damage_of(status.snapshot) is None

    def is_ready(self, platform: str) -> bool:
        """
        Return whether the list of a platform can be served; the platform is not requested from a public feed by that.

        :raises UnknownPlatform: if it is not served.
        """
        status = self.statuses.get(platform)
        if status is None and (self.chosen is not None or self.is_known) and platform not in self.promised:
            raise UnknownPlatform(platform)
        return status is not None and self._is_whole(status)

    @property
    def problem(self) -> str | None:
        """The problem of a source, if there is one; a follower knows of none."""
        if not self._context.leads():
            return None
        return NOTHING if not self.statuses and self._source_set.is_empty else self._source_set.problem

    @property
    def is_shared(self) -> bool:
        """Whether other servers read the same catalogue."""
        return self._catalogue.is_shared

    def absent(self, now: float) -> list[str]:
        """
        Return the requested platforms without a snapshot that turned out to be absent from public feeds.

        :param now: seconds of the clock.
        """
        statuses, wanted = self.statuses, self.wanted_of_public if self.chosen is None else frozenset()
        missing = [name for name in wanted if name not in statuses or statuses[name].snapshot is None]
        return [name for name in missing if self._source_set.lacks(name, now)]

    async def find(self, revision: str) -> Snapshot | None:
        """
        Return a snapshot that is still in the catalogue, current or not.

        :raises ListDamaged: if it is damaged, or the revision is that of a damaged delta.
        """
        snapshot = await self._context.read(self._catalogue.find, revision)
        if snapshot is not None and self.damage_of(snapshot) is not None:
            raise ListDamaged(snapshot.platform)
        if snapshot is None and revision in self._noted:
            raise ListDamaged(f"the delta {revision}")
        return snapshot

    async def mark_damaged(self, revision: str) -> Snapshot | None:
        """Mark a snapshot whose damage was noted, for all servers. Return it, if it is in the catalogue."""
        return await self._context.run(self._catalogue.mark_damaged, revision, self._noted[revision])

    async def prune(self, in_use: set[str]) -> None:
        """Delete snapshots that no session reads; the sessions of other servers are not known here."""
        if self._context.leads():
            now, keep = self._context.steady(), self._context.schedule.keep.total_seconds()
            age = MinimumAge(now - keep, now - _SESSIONS_COME_BACK_SECONDS)
            await self._context.run(self._catalogue.prune, in_use, age)

    async def forget_requests(self) -> None:
        """Withdraw the platforms that nobody has requested for a long time, and forget needless requests."""
        forgotten, offered = self.requested.forgotten(), self._source_set.platforms
        for platform in forgotten - offered:
            if self._source_set.source_lists(platform):
                log.info("{platform}: not requested for a long time; it is no longer read", platform=platform)
                await self._context.run(self._catalogue.withdraw, platform, self._context.steady())
        await self.requested.forget(forgotten | (offered & set(self.requested.wanted)))

    async def load_current(self) -> None:
        """
        Load the current snapshots of the catalogue, and those that are held back.

        They are from an earlier run, or another process published them: an operator's command, another server.
        """
        if self._context.leads():
            for revision in await self._context.run(self._catalogue.drop_unsealed):
                log.error("The description of the list {revision} is damaged: it is made anew", revision=revision)
        found = {snapshot.platform: snapshot for snapshot in await self._context.run(self._catalogue.current)}
        held_back = {snapshot.platform: snapshot for snapshot in await self._context.run(self._catalogue.held_back)}
        expected, promised, leads = self.expected, self.promised, self._context.leads()
        here = expected | (found.keys() if self.chosen is None else set())
        for platform in self.statuses.keys() - here:
            del self.statuses[platform]
        checked, now = dict[str, float](), self._context.wall()
        least = 0.0 if self._catalogue.is_shared else _SELDOM_SECONDS
        for platform in sorted(here):
            status = self.statuses.setdefault(platform, ListStatus())
            status.on_demand = platform not in promised
            source_lists = self._source_set.source_lists(platform)
            later = status.load_current(found.get(platform), held_back.get(platform), leads, source_lists, now)
            checked |= {snapshot.revision: time for snapshot, time in later if abs(time - snapshot.checked) >= least}
        if checked:
            await self._context.run(self._catalogue.mark_checked, checked, now)
