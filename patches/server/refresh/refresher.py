"""
The refresher: it reads vulnerability sources into the catalogue, and knows the current snapshot of each platform.

Theory of operation. A source that is due is polled: asked for its lists, of which those that changed are read one after
the other (:mod:`~patches.server.refresh.poller`). Several sources are polled side by side, and no tick waits for one of
them. A platform is published as soon as its own lists are in, from what is staged of all its sources. A failure leaves
everything else unchanged; it is logged, shown, and retried. While another server refreshes the same catalogue, this one
only loads the current snapshots.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from patches.interfaces import IListing
from patches.server.refresh.list_state import ListEvent, ListState
from patches.server.refresh.platforms import PlatformRegistry
from patches.server.refresh.poller import Poller
from patches.server.refresh.publication.enriching import EnrichedPlatforms
from patches.server.refresh.publication.queue import PublicationQueue
from patches.server.refresh.retry_schedule import INTERNAL_ERROR, RetrySchedule
from patches.server.refresh.schedule import RefreshContext
from patches.server.refresh.source_set import SourceSet
from patches.server.refresh.source_state import SourceState, lists_about, problem_of
from patches.server.refresh.status import NO_SOURCE, ListStatus
from patches.service.clocks import ClockSteps

log = Logger()

_TAKE_UP_SECONDS = 10.0
#: How long a platform is not at rest because of an enriching source that is being read for the first time.
_ENRICHING_SECONDS = 60.0


class Refresher:
    """
    Keeps the snapshots of all platforms up to date.

    :param source_set: the sources.
    :param registry: the platforms.
    :param poller: asks the sources, and reads their lists.
    :param queue: publishes platforms whose lists have changed.
    :param enriched: finds the platforms to publish because of what enriching sources say.
    """

    def __init__(
        self,
        context: RefreshContext,
        source_set: SourceSet,
        registry: PlatformRegistry,
        poller: Poller,
        queue: PublicationQueue,
        enriched: EnrichedPlatforms,
    ) -> None:
        self._context = context
        self._source_set = source_set
        self._registry = registry
        self._poller = poller
        self._queue = queue
        self._enriched = enriched
        self._polls: dict[str, Deferred[None]] = {}
        self._public_search = RetrySchedule()
        self._synced_at = context.clock.seconds()
        self._clock_steps = ClockSteps(context.wall, context.steady)
        self._was_leader = True
        self._is_enriched = False
        self._published_known: frozenset[str] | None = None
        #: What a tick does, in this order; each step uses what the ones before have found.
        self._steps: tuple[Callable[[], Awaitable[None]], ...] = (
            self._read_dropped,  # what was staged, and is damaged
            self._start_polls,  # what completes at once is known to the steps below
            self._add_public_sources,  # only for what no configured source has
            self._forget_sources,  # when both are known
            self._note_lost,  # what the catalogue should have, and has not
            self._enrich,  # the records of the platforms that are known
            self._publish,  # the lists are in
            self._publish_known,  # to other servers, which will look for the snapshots
            self._update_statuses,  # derived from all of it
            self._search_earlier,  # for what is missing then
        )

    @property
    def leads(self) -> Callable[[], bool]:
        """Returns whether this server is the one that refreshes."""
        return self._context.leads

    @leads.setter
    def leads(self, leads: Callable[[], bool]) -> None:
        self._context.leads = leads

    @property
    def registry(self) -> PlatformRegistry:
        """The platforms that are served, with their statuses."""
        return self._registry

    @property
    def statuses(self) -> dict[str, ListStatus]:
        """The status of each platform's list."""
        return self._registry.statuses

    @property
    def list_states(self) -> Counter[ListState]:
        """The number of lists of sources in each state; a follower reads none."""
        return Counter(each.state for each in self._source_set.all_lists if self.leads())

    @property
    def left_out(self) -> dict[str, Mapping[str, str]]:
        """The names that sources have beside their lists, with reasons, by source; a follower knows of none."""
        states = self._source_set.states if self.leads() else ()
        return {state.source.name: state.source.left_out for state in states if state.source.left_out}

    @property
    def has_asked(self) -> bool:
        """Whether this server has asked every source since it became the leader."""
        return self._was_leader and self.leads() and self._source_set.has_answered(self._now())

    def is_at_rest(self, platform: str) -> bool:
        """Return whether nothing is done for a platform before the next attempt; of use after a tick."""
        attempts, now = self._queue.attempts(platform), self._now()
        is_published = attempts is None or attempts.failures > 0
        at_rest = is_published and all(each.is_at_rest(now) for each in self._source_set.states_of(platform))
        late = [each for each in self._source_set.enriching if not each.was_asked_before(now - _ENRICHING_SECONDS)]
        return at_rest and (not late or (self._is_enriched and all(each.is_at_rest(now) for each in late)))

    def problem_of(self, platform: str) -> str | None:
        """Return the problems of the sources that may have a platform; ``None``: there are none."""
        return problem_of(self._source_set.states_of(platform), platform)

    @property
    def listings(self) -> dict[str, IListing]:
        """The lists that are being read now, by the name of their source."""
        return {
            state.source.name: each.listing
            for state in self._source_set.states
            for each in state.source_lists.values()
            if each.listing is not None
        }

    @property
    def source_names(self) -> list[str]:
        """The names of the sources."""
        return [state.source.name for state in self._source_set.states]

    async def load_current(self) -> None:
        """Load the changes made by other servers, operators and scanners."""
        await self._registry.requested.sync()
        if self.leads():
            await self._add_public_sources()
        await self._registry.load_current()
        self._synced_at = self._now()

    async def tick(self) -> None:
        """
        Do what is due now, in the order of the steps; no step waits for a source.

        Requests and the catalogue are loaded before, so that a server that has just become the leader knows what the
        last one did.
        """
        self._follow_clock()
        if self._registry.requested.is_new or self._now() - self._synced_at >= _TAKE_UP_SECONDS:
            await self.load_current()
        if self._is_our_turn():
            for step in self._steps:
                await step()

    def _follow_clock(self) -> None:
        """Move the times of check if the time of day was set, so that no list becomes older or younger by that."""
        step = self._clock_steps.take()
        if step:
            log.warn("The time of day was set by {step:+.0f} s; the times of the last checks move with it", step=step)
            for source_list in self._source_set.all_lists:
                source_list.checked += step if source_list.checked else 0.0
            for status in self.statuses.values():
                status.move(step)

    def stop(self) -> None:
        """Interrupt everything that is in progress; what was read only in part is read again after a restart."""
        for poll in list(self._polls.values()):
            poll.cancel()

    def _is_our_turn(self) -> bool:
        """Return whether this server refreshes; if another server did until now, everything is checked again."""
        led, self._was_leader = self._was_leader, self.leads()
        if self._was_leader and not led:
            self._source_set.recheck_all(self._now())
        if not self._was_leader:
            self._published_known = None
        return self._was_leader

    async def _start_polls(self) -> None:
        """Poll the sources that are due, side by side."""
        for state in self._source_set.states:
            name = state.source.name
            if name not in self._polls and state.is_due(self._now()):
                poll = Deferred.fromCoroutine(self._poller.poll(state))
                self._polls[name] = poll.addErrback(self._note_bug, state)
                poll.addBoth(self._forget_poll, name)

    async def _read_dropped(self) -> None:
        """Read the lists again, at once, that were staged and are damaged."""
        lists = {
            (state.source.name, key): each
            for state in self._source_set.states
            for key, each in state.source_lists.items()
        }
        for dropped in await self._poller.take_dropped():
            # Where it is not known which list it is, or its name is what is damaged, all are compared again.
            for source_list in [lists[dropped]] if dropped in lists else lists.values():
                source_list.checked = 0.0
                source_list.attempts.due = min(source_list.attempts.due, self._now())

    def _note_bug(self, failure: Failure, state: SourceState) -> None:
        """Log an error that is neither the source's nor its lists'; the source is asked again after a pause."""
        if failure.check(CancelledError) is None:
            log.failure("{source} could not be polled", failure=failure, source=state.source.name)
            schedule = self._context.schedule
            state.attempts.fail(INTERNAL_ERROR, self._now(), schedule.interval, schedule.jitter)

    def _forget_poll(self, result: None, name: str) -> None:
        self._polls.pop(name, None)

    async def _add_public_sources(self) -> None:
        """Read requested platforms from public sources; drop those that are no longer requested."""
        if self._registry.chosen is None:
            await self._registry.forget_requests()
        for name in self._source_set.add_public_sources(self._registry.wanted_of_public, self._now()):
            if name in self._polls:
                self._polls[name].cancel()
            self._queue.add(await self._poller.forget_lists(name))

    async def _forget_sources(self) -> None:
        """Delete the lists of other sources, once the sources are known: they were configured or requested earlier."""
        if self._source_set.is_known:
            self._queue.add(await self._poller.forget_others(self._source_set.names))

    async def _note_lost(self) -> None:
        """Publish the platforms that were read, and of which the catalogue has no snapshot, or a damaged one."""
        expected = self._registry.expected
        for source_list in self._source_set.all_lists:
            for platform in source_list.platforms & expected:
                status = self.statuses.setdefault(platform, ListStatus())
                is_lost = status.snapshot is None or status.damage is not None
                if is_lost and source_list.checked and platform not in self._queue:
                    self._queue.add([platform])

    async def _enrich(self) -> None:
        """Publish the platforms again whose records enriching sources have changed, when that is due."""
        is_polled = any(state.source.name in self._polls for state in self._source_set.enriching)
        self._is_enriched = not is_polled
        self._queue.add(await self._enriched.due(self.statuses, is_polled) - self._queue.platforms())

    async def _publish(self) -> None:
        """Publish each platform whose lists are in."""
        for platform in self._queue.platforms() & self._registry.expected:
            self.statuses.setdefault(platform, ListStatus())
        for platform in self._queue.due():
            states = self._source_set.states_of(platform)
            if self.leads() and not any(state.is_awaited(platform, self._now()) for state in states):
                await self._publish_one(platform, states)

    async def _publish_one(self, platform: str, states: Collection[SourceState]) -> None:
        lists = lists_about(platform, states)
        for source_list in lists:
            if source_list.state is ListState.UNPUBLISHED:
                source_list.on(ListEvent.RETRIED)
        status = self.statuses.get(platform, ListStatus())
        checked = status.checked(platform, list(states), self._context.wall())
        sources, served = [state.source for state in (*states, *self._source_set.enriching)], status.note_served()
        done, snapshot = await self._queue.publish(platform, sources, checked, served)
        event = ListEvent.PUBLISHED if done else ListEvent.FAILED
        if snapshot is not None:
            event = ListEvent.PUBLISHED if snapshot.held_back is None else ListEvent.SHRUNK
            self.statuses.setdefault(platform, ListStatus()).published(snapshot)
        if done:
            await self._enriched.note_published(platform)
        if not done or platform not in self._queue:  # else a list was read again meanwhile, and is published later
            for source_list in lists:
                source_list.published(platform, event)
            for state in states:
                for source_list in lists_about(platform, [state]):
                    await self._poller.note_published(state.source.name, source_list)

    async def _publish_known(self) -> None:
        """Publish which platforms there are, and which of the requested ones are absent."""
        for platform in self._registry.absent(self._now()):
            log.info("{platform}: no public feed has it", platform=platform)
            await self._registry.requested.mark_absent([platform])
            self.statuses.pop(platform, None)
        known = frozenset(self._source_set.platforms) if self._registry.is_known else frozenset()
        if known != self._published_known and self._registry.is_shared:
            await self._registry.requested.publish_known(known)
            self._published_known = known

    async def _update_statuses(self) -> None:
        """Derive the status of each platform, and whether what is held back of its lists was accepted."""
        for platform, status in self.statuses.items():
            states = self._source_set.states_of(platform)
            status.update(platform, states, self._queue.attempts(platform), self._context.wall())
            if status.held_back is not None or platform in self._queue:
                continue
            accepted = [each for each in lists_about(platform, states) if platform in each.held_back]
            if accepted:
                log.info("{platform}: the list that was held back has been accepted", platform=platform)
            for source_list in accepted:
                source_list.published(platform, ListEvent.PUBLISHED)

    async def _search_earlier(self) -> None:
        """Ask the sources earlier while one of them might have a missing platform."""
        if not any(status.error == NO_SOURCE for status in self.statuses.values()):
            self._public_search = RetrySchedule()
            return
        if self._public_search.due <= self._now():
            schedule = self._context.schedule
            self._public_search.fail(NO_SOURCE, self._now(), schedule.interval, schedule.jitter)
        for state in self._source_set.of_platforms:
            state.attempts.due = min(state.attempts.due, self._public_search.due)

    def _now(self) -> float:
        return self._context.clock.seconds()
