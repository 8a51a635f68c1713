"""
The refresher: it reads vulnerability sources into the catalogue, and knows the current snapshot of each platform.

A source is asked for its lists; a list whose state has not changed is not read again. When a list of a platform has
been read, the platform's snapshot is rebuilt from the lists of all its sources. A failure leaves everything else
unchanged; it is logged, shown, and retried. An empty list is a failure: a Clair that is still loading, or that has only
seen an image of the platform, shows a platform without vulnerabilities. While another server refreshes the same
catalogue, this one only loads the current snapshots.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from patches.interfaces import Run
from patches.server.budget import Budget
from patches.server.catalogue.pruning import MinimumAge
from patches.server.catalogue.snapshot import Snapshot
from patches.server.catalogue.store import Catalogue
from patches.server.refresh.on_demand import RequestedPlatforms
from patches.server.refresh.platforms import PlatformRegistry
from patches.server.refresh.poller import Poller
from patches.server.refresh.publisher import Publisher
from patches.server.refresh.schedule import Schedule
from patches.server.refresh.source_set import SourceSet
from patches.server.refresh.source_state import RetrySchedule, SourceState
from patches.server.refresh.staging import StagingStore
from patches.server.refresh.status import NO_SOURCE, ListStatus

log = Logger()

_TAKE_UP_SECONDS = 10.0
#: How long after a restart sessions may resume a replaced list, in seconds.
_SESSIONS_COME_BACK_SECONDS = 3600.0


class Refresher:
    """
    Keeps the snapshots of all platforms up to date.

    :param source_set: the sources.
    :param requested: the platforms that are requested from public feeds.
    :param staging: the lists that were read last.
    :param run: runs what blocks.
    :param wall: returns the time in seconds since the epoch.
    :ivar leads: returns whether this server is the one that refreshes.
    """

    def __init__(
        self,
        source_set: SourceSet,
        requested: RequestedPlatforms,
        catalogue: Catalogue,
        staging: StagingStore,
        publisher: Publisher,
        schedule: Schedule,
        budget: Budget,
        run: Run,
        clock: IReactorTime,
        wall: Callable[[], float],
        leads: Callable[[], bool] = lambda: True,
    ) -> None:
        self.leads = leads
        self._source_set = source_set
        self._requested = requested
        self._registry = PlatformRegistry(
            catalogue, source_set, requested, schedule.platforms, run, lambda: self.leads()
        )
        self._catalogue = catalogue
        self._staging = staging
        self._publisher = publisher
        self._schedule = schedule
        self._poller = Poller(staging, schedule, budget, run, clock, wall)
        self._run = run
        self._clock = clock
        self._wall = wall
        self._changed: dict[str, RetrySchedule] = {}
        self._public_search = RetrySchedule()
        self._synced_at = clock.seconds()
        self._was_leader = True
        self._others_forgotten = False
        self._published_known: frozenset[str] | None = None

    @property
    def statuses(self) -> dict[str, ListStatus]:
        """The status of each platform's list."""
        return self._registry.statuses

    @property
    def ready(self) -> bool:
        """See :attr:`PlatformRegistry.ready`."""
        return self._registry.ready

    @property
    def problem(self) -> str | None:
        """See :attr:`PlatformRegistry.problem`."""
        return self._registry.problem

    @property
    def has_asked(self) -> bool:
        """Whether this server has asked every source since it became the leader."""
        return self._was_leader and self.leads() and self._source_set.has_answered(self._clock.seconds())

    def current(self, platform: str) -> Snapshot:
        """Return the current snapshot of a platform; see :meth:`PlatformRegistry.current`."""
        return self._registry.current(platform)

    async def find(self, revision: str) -> Snapshot | None:
        """Return a snapshot that is still in the catalogue, current or not."""
        return await self._run(self._catalogue.find, revision)

    async def load_current(self) -> None:
        """Load the changes made by other servers, operators and scanners."""
        await self._requested.sync()
        if self.leads():
            await self._add_public_sources()
        await self._registry.load_current()
        self._synced_at = self._clock.seconds()

    async def tick(self) -> None:
        """
        Refresh the lists that are due, one after the other.

        The order matters. Requests and the catalogue are loaded first, so that a server that has just become the leader
        knows what the last one did. Sources are asked before public ones are added, as only what no configured source
        has is requested from those; foreign lists are deleted once both are known; snapshots are rebuilt only then, and
        published before other servers are told which platforms there are. The statuses come last: they are derived from
        all of it.
        """
        if self._requested.is_new or self._clock.seconds() - self._synced_at >= _TAKE_UP_SECONDS:
            await self.load_current()
        if not self._is_our_turn():
            return
        for state in self._source_set.states:
            if state.is_due(self._clock.seconds()):
                self._change(await self._poller.ask(state))
                self._note_lists(state)
                for source_list in list(state.source_lists.values()):
                    if source_list.attempts.due <= self._clock.seconds() and self.leads():
                        self._change(await self._poller.read(state.source, source_list))
        await self._add_public_sources()
        await self._forget_sources()
        for platform in self._changed.keys() & self._registry.expected:
            self.statuses.setdefault(platform, ListStatus())
        for platform, attempts in list(self._changed.items()):
            if attempts.due <= self._clock.seconds() and self.leads():
                await self._publish(platform, attempts)
        await self._publish_known()
        for platform, status in self.statuses.items():
            status.update(platform, self._source_set.states_of(platform), self._changed.get(platform))
        self._recheck_catalogue()

    async def prune(self, in_use: set[str]) -> None:
        """Delete snapshots that no session reads; the sessions of other servers are not known here."""
        if self.leads():
            now = self._wall()
            age = MinimumAge(now - self._schedule.keep.total_seconds(), now - _SESSIONS_COME_BACK_SECONDS)
            await self._run(self._catalogue.prune, in_use, age)

    def _is_our_turn(self) -> bool:
        """Return whether this server refreshes; if another server did until now, everything is checked again."""
        led, self._was_leader = self._was_leader, self.leads()
        if self._was_leader and not led:
            self._source_set.recheck_all(self._clock.seconds())
        if not self._was_leader:
            self._published_known = None
        return self._was_leader

    async def _add_public_sources(self) -> None:
        """Read requested platforms from public sources; drop those that are no longer requested."""
        if self._registry.chosen is None:
            forgotten = self._requested.forgotten()
            offered = self._source_set.platforms
            for platform in forgotten - offered:
                if self._source_set.source_lists(platform):
                    log.info("{platform}: not requested for a long time; it is no longer read", platform=platform)
                    await self._run(self._catalogue.withdraw, platform, self._wall())
            await self._requested.forget(forgotten | (offered & set(self._requested.wanted)))
        for name in self._source_set.add_public_sources(self._registry.wanted_of_public, self._clock.seconds()):
            self._change(await self._run(self._staging.forget_others, name, ()))

    async def _forget_sources(self) -> None:
        """Delete the lists of other sources, once the sources are known: they were configured or requested earlier."""
        if self._others_forgotten or not self._source_set.is_known:
            return
        names = {state.source.name for state in self._source_set.states}
        self._change(await self._run(self._staging.forget_sources, names))
        self._others_forgotten = True

    async def _publish_known(self) -> None:
        """Publish which platforms there are, and which of the requested ones are absent."""
        now = self._clock.seconds()
        for platform in self._registry.wanted_of_public if self._registry.chosen is None else ():
            status = self.statuses.get(platform)
            if (status is None or status.snapshot is None) and self._source_set.lacks(platform, now):
                log.info("{platform}: no public feed has it", platform=platform)
                await self._requested.mark_absent([platform])
                self.statuses.pop(platform, None)
        known = frozenset(self._source_set.platforms) if self._registry.is_known else frozenset()
        if known != self._published_known and self._catalogue.is_shared:
            await self._requested.publish_known(known)
            self._published_known = known

    def _change(self, platforms: Iterable[str]) -> None:
        """Mark platforms whose snapshot must be rebuilt."""
        self._changed |= {platform: RetrySchedule() for platform in platforms}

    def _note_lists(self, state: SourceState) -> None:
        expected = self._registry.expected
        for source_list in state.source_lists.values():
            for platform in source_list.platforms & expected:
                status = self.statuses.setdefault(platform, ListStatus())
                if status.snapshot is None and source_list.checked:
                    self._changed.setdefault(platform, RetrySchedule())  # the catalogue has lost it

    async def _publish(self, platform: str, attempts: RetrySchedule) -> None:
        """Rebuild the snapshot of a platform."""
        now, states = self._wall(), self._source_set.states_of(platform)
        checked = self.statuses.get(platform, ListStatus()).checked(platform, states, now)
        sources = [state.source for state in states]

        async def publish() -> None:
            snapshot = await self._run(self._publisher.publish, platform, sources, checked, now)
            if snapshot is not None:
                status = self.statuses.setdefault(platform, ListStatus())
                status.held_back = snapshot if snapshot.held_back is not None else None
                status.snapshot = snapshot if snapshot.held_back is None else status.snapshot

        interval, jitter = self._schedule.interval, self._schedule.jitter
        if await attempts.run(f"The snapshot of {platform}", publish, self._clock.seconds, interval, jitter):
            del self._changed[platform]

    def _recheck_catalogue(self) -> None:
        """Ask the sources earlier while one of them might have a missing platform."""
        now = self._clock.seconds()
        if not any(status.error == NO_SOURCE for status in self.statuses.values()):
            self._public_search = RetrySchedule()
            return
        if self._public_search.due <= now:
            self._public_search.fail(NO_SOURCE, now, self._schedule.interval, self._schedule.jitter)
        for state in self._source_set.states:
            state.attempts.due = min(state.attempts.due, self._public_search.due)
