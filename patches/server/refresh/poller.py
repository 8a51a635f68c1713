"""
Polling: a source is asked for its lists, and those that changed are read, one after the other.

A list is moved from state to state by :mod:`~patches.server.refresh.list_state`: while it is in a state that has a step
here, the step is done, and its result is the event that leads to the next state.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Set
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, DeferredList, DeferredLock, DeferredSemaphore
from twisted.logger import Logger

from patches.interfaces import ISource, Offer
from patches.server.budget import REFRESH, REFRESH_BYTES
from patches.server.refresh.importer import Importer
from patches.server.refresh.list_state import ListEvent, ListState
from patches.server.refresh.publication.queue import PublicationQueue
from patches.server.refresh.retry_schedule import INTERNAL_ERROR
from patches.server.refresh.schedule import RefreshContext
from patches.server.refresh.source_state import AT_ONCE, SourceList, SourceState
from patches.server.refresh.staging import StagingStore
from patches.service.budget import Budget
from patches.wording import printable

log = Logger()

#: How soon a source that may be asked at any time is asked again after one of its lists was read, or was still growing.
RECHECK_SECONDS = 60.0
#: How many of the names that a source cannot offer are named in the log.
_MOST_NAMED = 20


class Turn:
    """
    The turn of a source to be read: one of a few at a time, with the memory for it, until :meth:`end`.

    Lists of the source that are read side by side share it.

    :param places: the number of sources that may be read at once.
    """

    def __init__(self, source: ISource, places: DeferredSemaphore, budget: Budget) -> None:
        self._source = source
        self._places = places
        self._budget = budget
        self._has_place = False
        self._granted = 0
        self._beginning = DeferredLock()

    async def begin(self) -> bool:
        """Wait for a place. Return whether the memory was granted, too; a turn may be begun again."""
        async with self._beginning:
            if not self._has_place:
                await self._places.acquire()
                self._has_place = True
        size = REFRESH_BYTES + self._source.worker_bytes
        if not self._granted and self._budget.claim(REFRESH, size):
            self._granted = size
        return bool(self._granted)

    def end(self) -> None:
        """Release the place and the memory; the source rests."""
        self._source.rest()
        self._budget.release(REFRESH, self._granted)
        self._granted = 0
        if self._has_place:
            self._has_place = False
            self._places.release()


class Poller:
    """
    Asks sources and reads lists; a failure is recorded at the source or list, and retried later.

    :param staging: the lists that were read last.
    :param queue: receives the platforms whose snapshot must be rebuilt.
    """

    def __init__(self, context: RefreshContext, staging: StagingStore, budget: Budget, queue: PublicationQueue) -> None:
        self._context = context
        self._staging = staging
        self._budget = budget
        self._queue = queue
        self._wanted = frozenset(context.schedule.platforms) or None
        self._importer = Importer(staging, context.run, self._wanted)
        self._others_forgotten = False
        self._places = DeferredSemaphore(context.schedule.parallel)
        self._steps: dict[ListState, Callable[[SourceState, SourceList, Turn], Awaitable[ListEvent]]] = {
            ListState.POLLING: self._compare,
            ListState.IMPORTING: self._import,
        }

    async def poll(self, state: SourceState) -> None:
        """Ask a source for its lists, if it is due, and read those lists that are due."""
        state.again = False
        if state.attempts.due <= self._now():
            await self._ask(state)
        turn = Turn(state.source, self._places, self._budget)
        try:
            await self._advance_due(state, turn)
        finally:
            turn.end()
            if state.source.ask_within is not None:
                state.has_changed |= any(each.is_growing for each in state.source_lists.values())
                state.plan_recheck(self._now(), RECHECK_SECONDS)
            if state.again:
                state.retry_soon(self._now())

    async def note_published(self, name: str, source_list: SourceList) -> None:
        """Note that a list was published as it was read, if it was in all its platforms."""
        if not source_list.unpublished:
            await self._context.run(self._staging.note_published, name, source_list.offer.key)

    async def take_dropped(self) -> list[tuple[str | None, str | None]]:
        """Return the lists that were dropped from the staging store since the last call, as they were damaged."""
        return await self._context.run(self._staging.take_dropped)

    async def forget_lists(self, name: str) -> set[str]:
        """Delete all lists of a source. Return their platforms."""
        return await self._context.run(self._staging.forget_others, name, ())

    async def forget_others(self, names: Set[str]) -> set[str]:
        """Delete the lists of all sources but these, once; they are of an earlier run. Return their platforms."""
        if self._others_forgotten:
            return set()
        touched = await self._context.run(self._staging.forget_sources, names)
        self._others_forgotten = True
        return touched

    async def _advance_due(self, state: SourceState, turn: Turn) -> None:
        """Read the lists that are due, a few side by side if the source can."""
        left = iter(list(state.source_lists.values()))

        async def take() -> None:
            for source_list in left:
                if source_list.attempts.due <= self._now() and self._context.leads():
                    await self._advance(state, source_list, turn)

        await _together(take() for _ in range(state.source.lists_at_once))

    async def _advance(self, state: SourceState, source_list: SourceList, turn: Turn) -> None:
        """Do the steps of a list that is due, until it is in a state without a step."""
        source_list.on(ListEvent.DUE)
        try:
            while (step := self._steps.get(source_list.state)) is not None:
                source_list.on(await step(state, source_list, turn))
        except Exception as error:
            if isinstance(error, CancelledError):
                source_list.on(ListEvent.INTERRUPTED)
                raise
            log.failure("The list {key} could not be refreshed", key=source_list.offer.key)
            schedule = self._context.schedule
            source_list.attempts.fail(INTERNAL_ERROR, self._now(), schedule.interval, schedule.jitter)
            source_list.on(ListEvent.FAILED)
        if source_list.state is ListState.MERGING:
            self._queue.add(source_list.unpublished)

    async def _ask(self, state: SourceState) -> None:
        """Ask a source for its lists."""
        offers: list[Offer] = []

        async def ask() -> None:
            offers.extend(await state.source.offers())

        name = state.source.name
        interval, jitter = self._context.schedule.interval_of(name), self._context.schedule.jitter
        if state.source.ask_within is not None:
            interval = min(interval, state.source.ask_within)
        state.asked, before = self._now() if state.asked is None else state.asked, state.source.left_out
        if not await state.attempts.run(f"The lists of {name}", ask, self._now, interval, jitter):
            state.wait()
            return
        if state.source.left_out != before:
            _tell_left_out(name, state.source.left_out)
        wanted = [offer for offer in offers if self._wants(offer)]
        for source_list in state.take(wanted):
            await self._remember(state.source, source_list)
        state.mark_due(self._now())
        self._queue.add(await self._context.run(self._staging.forget_others, name, {offer.key for offer in wanted}))

    async def _compare(self, state: SourceState, source_list: SourceList, turn: Turn) -> ListEvent:
        """Compare a list with the one that was read last."""
        offer, name = source_list.offer, state.source.name
        known = await self._context.run(self._staging.known, name, offer.key)
        if known is None or offer.state is None or known[0].state != offer.state:
            return ListEvent.CHANGED
        source_list.checked, source_list.was_growing = self._context.wall(), False
        source_list.attempts.succeed(self._now(), self._context.schedule.interval_of(name))
        if source_list.doubted:
            source_list.doubted, source_list.unpublished = False, set(source_list.platforms)
        if source_list.unpublished:
            return ListEvent.STAGED
        return ListEvent.SHRUNK if source_list.held_back else ListEvent.UNCHANGED

    async def _import(self, state: SourceState, source_list: SourceList, turn: Turn) -> ListEvent:
        """Read a list into the staging store."""
        if not await turn.begin():
            return ListEvent.NO_MEMORY
        offer, name, event = source_list.offer, state.source.name, ListEvent.UNCHANGED

        async def read() -> None:
            nonlocal event
            if not source_list.empty:
                log.info("Reading the list {key} of {source}", key=offer.key, source=name)
            before = await self._at_once(state.source, offer)
            try:
                touched = await self._importer.read(state.source, offer, self._context.wall(), source_list.note)
                source_list.was_growing = source_list.is_growing
            finally:
                source_list.listing = None
            if touched is None:
                if not source_list.empty:
                    log.info("The list {key} of {source} is empty", key=offer.key, source=name)
                event = ListEvent.FOUND_EMPTY
                return
            source_list.platforms, source_list.checked, source_list.doubted = touched, self._context.wall(), False
            added = await self._at_once(state.source, offer) - before
            source_list.fresh = added | source_list.fresh if source_list.unpublished else added
            source_list.unpublished, source_list.empty, state.has_changed = set(touched), 0, True
            event = ListEvent.STAGED if touched else ListEvent.UNCHANGED

        interval, jitter = self._context.schedule.interval_of(name), self._context.schedule.jitter
        what = f"The list {offer.key} of {name}"
        if not await source_list.attempts.run(what, read, self._now, interval, jitter):
            return ListEvent.FAILED
        if event is ListEvent.FOUND_EMPTY:
            source_list.empty += 1
            source_list.attempts.postpone(source_list.empty, self._now(), interval, jitter)
        return event

    async def _remember(self, source: ISource, source_list: SourceList) -> None:
        """
        Restore the time of the last read from an earlier run; a list without a state is not read before it is due.
        """
        known = await self._context.run(self._staging.known, source.name, source_list.offer.key)
        if known is not None:
            read, source_list.platforms = known
            source_list.checked = read.checked
            if not read.published:  # the server ended between the reading and the publication
                source_list.unpublished = set(source_list.platforms)
                source_list.fresh = await self._at_once(source, source_list.offer)
            if source_list.offer.state is None and not source_list.doubted:
                interval = self._context.schedule.interval_of(source.name).total_seconds()
                age = self._context.wall() - read.checked  # negative: the time of day was set back; it says nothing
                source_list.attempts.due = self._now() + (interval - age if age >= 0 else 0.0)

    async def _at_once(self, source: ISource, offer: Offer) -> frozenset[str]:
        """Return the ids of a staged list whose new entries are published at once; of other lists no ids."""
        if source.enriches != AT_ONCE:
            return frozenset()
        return await self._context.run(self._staging.names, source.name, offer.key)

    def _wants(self, offer: Offer) -> bool:
        return self._wanted is None or offer.platform is None or offer.platform in self._wanted

    def _now(self) -> float:
        return self._context.clock.seconds()


def _tell_left_out(source: str, left_out: Mapping[str, str]) -> None:
    if left_out:
        names = ", ".join(printable(name) for name in sorted(left_out)[:_MOST_NAMED])
        more = f", and {len(left_out) - _MOST_NAMED} more" if len(left_out) > _MOST_NAMED else ""
        log.warn(
            "{source}: left out, as no platform has this name: {names}{more}", source=source, names=names, more=more
        )


async def _together(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Do several things side by side, to the end of each; then raise the first error, if there is one."""
    results: Any = await DeferredList([Deferred.fromCoroutine(work) for work in works], consumeErrors=True)
    for succeeded, failure in results:
        if not succeeded:
            failure.raiseException()
