"""
Refresh: reads vulnerability sources into the catalogue, and tells which snapshot of a platform is current.

A source is asked which lists it offers; a list whose state has not changed is not read again. When a list of a platform
has been read, the platform's snapshot is made anew of all its sources' lists. What fails leaves everything else as it
is; it is logged, shown, and tried again. An empty list is a failure: a Clair that is still loading, or that has seen an
image of it only, shows a platform without vulnerabilities. While another server refreshes the same catalogue, this one
only takes up what is current.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from patches.interfaces import ISource, Run
from patches.server.budget import Budget
from patches.server.catalogue import Catalogue
from patches.server.feeds import Attempts, SourceState
from patches.server.inquiry import Inquiry
from patches.server.lists import Lists
from patches.server.publishing import Publisher
from patches.server.schedule import Public, Schedule
from patches.server.snapshot import Snapshot
from patches.server.statuses import NO_SOURCE, ListStatus

log = Logger()

_TAKE_UP_SECONDS = 10.0
NOTHING = "no source has a list of any platform"


class UnknownPlatform(Exception):
    """No source has a list of this platform, and none is expected to."""


class NotReady(Exception):
    """The platform is served, but its list has not been read yet."""


class Refresh:
    """
    Keeps the snapshots of all platforms fresh.

    :param lists: what the sources said last.
    :param run: runs what blocks.
    :param wall: tells the time in seconds since the epoch.
    :param public: is asked for a source of a platform that none of the others has.
    :ivar leads: tells whether this server is the one that refreshes.
    :ivar statuses: by platform.
    """

    def __init__(
        self,
        sources: Sequence[ISource],
        catalogue: Catalogue,
        lists: Lists,
        publisher: Publisher,
        schedule: Schedule,
        budget: Budget,
        run: Run,
        clock: IReactorTime,
        wall: Callable[[], float],
        public: Public = lambda platform: None,
        leads: Callable[[], bool] = lambda: True,
    ) -> None:
        self.leads = leads
        self.statuses: dict[str, ListStatus] = {name: ListStatus() for name in schedule.platforms}
        self._sources = [SourceState(source) for source in sources]
        self._catalogue = catalogue
        self._publisher = publisher
        self._schedule = schedule
        self._public = public
        self._wanted = frozenset(schedule.platforms) or None
        self._inquiry = Inquiry(lists, schedule, budget, run, clock, wall)
        self._run = run
        self._clock = clock
        self._wall = wall
        self._public_platforms: set[str] = set()
        self._changed: dict[str, Attempts] = {}
        self._search = Attempts()
        self._taken_up = clock.seconds()
        self._led = True

    def current(self, platform: str) -> Snapshot:
        """
        Give the current snapshot of a platform.

        :raises UnknownPlatform: if it is not served.
        :raises NotReady: if it is not there yet.
        """
        status = self.statuses.get(platform)
        if status is None and self._is_known and not self._look_in_public(platform):
            raise UnknownPlatform(platform)
        if status is None or status.snapshot is None:
            raise NotReady(platform)
        return status.snapshot

    @property
    def _is_known(self) -> bool:
        """Whether it is known which platforms there are."""
        if self._wanted is not None or not self._sources:
            return True
        return bool(self.statuses) and all(
            state.told and all(feed.platforms for feed in state.feeds.values()) for state in self._sources
        )

    def _look_in_public(self, platform: str) -> bool:
        """Take up a public source of a platform; tell whether there is one."""
        if platform in self._public_platforms:
            return True
        source = self._public(platform) if self._wanted is None or platform in self._wanted else None
        if source is None:
            return False
        self._public_platforms.add(platform)
        state = next((state for state in self._sources if state.source is source), None)
        if state is None:
            state = SourceState(source)
            self._sources.append(state)
            self._publisher.add(source)
        state.attempts.due = self._clock.seconds()
        self.statuses.setdefault(platform, ListStatus())
        return True

    async def find(self, revision: str) -> Snapshot | None:
        """Give a snapshot that is still in the catalogue, current or not."""
        return await self._run(self._catalogue.find, revision)

    @property
    def ready(self) -> bool:
        """Whether every platform that is served has a snapshot."""
        return bool(self.statuses) and all(status.snapshot is not None for status in self.statuses.values())

    @property
    def problem(self) -> str | None:
        """What is wrong with a source, if something is."""
        if not self.statuses and self._sources and all(state.told and not state.feeds for state in self._sources):
            return NOTHING
        attempts = [each for state in self._sources for each in state.concerning(None)]
        return next((each.error for each in attempts if each.error is not None), None)

    async def take_up(self) -> None:
        """
        Take up what is current in the catalogue.

        It is there from an earlier run, or another process has put it there: an operator's, another server's.
        """
        checked = {}
        for snapshot in await self._run(self._catalogue.current):
            if self._wanted is None or snapshot.platform in self._wanted:
                status = self.statuses.setdefault(snapshot.platform, ListStatus())
                status.take_up(snapshot, self.leads(), self._sources)
                if status.snapshot is not None and status.snapshot.checked > snapshot.checked:
                    checked[snapshot.revision] = status.snapshot.checked
        if checked and self._catalogue.is_shared:
            await self._run(self._catalogue.note_checked, checked)
        self._taken_up = self._clock.seconds()

    async def tick(self) -> None:
        """Refresh what is due, one list after the other."""
        if self._clock.seconds() - self._taken_up >= _TAKE_UP_SECONDS:
            await self.take_up()
        if not self._is_our_turn():
            return
        for state in self._sources:
            if state.is_due(self._clock.seconds()):
                self._change(await self._inquiry.ask(state))
                self._note_lists(state)
                for feed in list(state.feeds.values()):
                    if feed.attempts.due <= self._clock.seconds() and self.leads():
                        self._change(await self._inquiry.read(state.source, feed))
        for platform, attempts in list(self._changed.items()):
            if attempts.due <= self._clock.seconds() and self.leads():
                await self._publish(platform, attempts)
        for platform, status in self.statuses.items():
            if status.error == NO_SOURCE or not self._sources:
                self._look_in_public(platform)
            status.sum_up(platform, self._sources, self._changed.get(platform))
        self._look_again()

    async def prune(self, in_use: set[str]) -> None:
        """Delete snapshots that nobody reads any more; what another server's sessions read is not known here."""
        if self.leads():
            await self._run(self._catalogue.prune, in_use, self._wall() - self._schedule.keep.total_seconds())

    def _is_our_turn(self) -> bool:
        """Tell whether this server refreshes; if another did until now, everything is looked at again."""
        led, self._led = self._led, self.leads()
        if self._led and not led:
            for state in self._sources:
                state.doubt(self._clock.seconds())
        return self._led

    def _change(self, platforms: Iterable[str]) -> None:
        """Note of which platforms the snapshot has to be made anew."""
        self._changed |= {platform: Attempts() for platform in platforms}

    def _note_lists(self, state: SourceState) -> None:
        for feed in state.feeds.values():
            for platform in feed.platforms:
                status = self.statuses.setdefault(platform, ListStatus())
                if status.snapshot is None and feed.checked:
                    self._changed.setdefault(platform, Attempts())  # the catalogue has lost it

    async def _publish(self, platform: str, attempts: Attempts) -> None:
        """Make the snapshot of a platform anew."""
        status = self.statuses.setdefault(platform, ListStatus())

        async def publish() -> None:
            snapshot = await self._run(self._publisher.publish, platform, self._wall())
            status.alarm = snapshot.held if snapshot is not None else None
            if snapshot is not None and snapshot.held is None:
                status.snapshot = snapshot

        if await attempts.make(f"The snapshot of {platform}", publish, self._clock.seconds, self._schedule.interval):
            del self._changed[platform]

    def _look_again(self) -> None:
        """Ask the sources sooner while one of them might have a platform that is missing."""
        now = self._clock.seconds()
        if not any(status.error == NO_SOURCE for status in self.statuses.values()):
            self._search = Attempts()
            return
        if self._search.due <= now:
            self._search.fail(NO_SOURCE, now, self._schedule.interval)
        for state in self._sources:
            state.attempts.due = min(state.attempts.due, self._search.due)
