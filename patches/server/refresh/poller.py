"""Polling: sources are asked for their lists, and changed lists are read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from patches.interfaces import ISource, Offer, Run
from patches.server.budget import REFRESH, REFRESH_BYTES, Budget
from patches.server.refresh.importer import Importer
from patches.server.refresh.schedule import Schedule
from patches.server.refresh.source_state import SourceList, SourceState
from patches.server.refresh.staging import StagingStore

log = Logger()


class Poller:
    """
    Asks sources and reads lists; a failure is recorded at the source or list, and retried later.

    :param staging: the lists that were read last.
    :param run: runs what blocks.
    :param wall: returns the time in seconds since the epoch.
    """

    def __init__(
        self,
        staging: StagingStore,
        schedule: Schedule,
        budget: Budget,
        run: Run,
        clock: IReactorTime,
        wall: Callable[[], float],
    ) -> None:
        self._staging = staging
        self._schedule = schedule
        self._wanted = frozenset(schedule.platforms) or None
        self._importer = Importer(staging, run, self._wanted)
        self._budget = budget
        self._run = run
        self._clock = clock
        self._wall = wall

    async def ask(self, state: SourceState) -> set[str]:
        """
        Ask a source for its lists, if it is due.

        :return: the platforms of lists that the source no longer has.
        """
        if state.attempts.due > self._clock.seconds():
            return set()
        offers: list[Offer] = []

        async def ask() -> None:
            offers.extend(await state.source.offers())

        name, interval = state.source.name, self._interval(state.source.name)
        if state.source.ask_within is not None:
            interval = min(interval, state.source.ask_within)
        if not await state.attempts.run(
            f"The lists of {name}", ask, self._clock.seconds, interval, self._schedule.jitter
        ):
            state.wait()
            return set()
        wanted = [offer for offer in offers if self._wants(offer)]
        for source_list in state.take(wanted):
            await self._remember(state.source, source_list)
        state.mark_due(self._clock.seconds())
        return await self._run(self._staging.forget_others, name, {offer.key for offer in wanted})

    async def read(self, source: ISource, source_list: SourceList) -> set[str]:
        """
        Read a list, if it has changed.

        :return: the platforms whose snapshot must be rebuilt.
        """
        offer, interval = source_list.offer, self._interval(source.name)
        known = await self._run(self._staging.known, source.name, offer.key)
        if known is not None and offer.state is not None and known[0].state == offer.state:
            doubted, source_list.doubted = source_list.doubted, False
            source_list.checked = self._wall()
            source_list.attempts.succeed(self._clock.seconds(), interval)
            return set(source_list.platforms) if doubted else set()
        granted = REFRESH_BYTES + source.worker_bytes
        if not self._budget.claim(REFRESH, granted):
            return set()

        async def read() -> None:
            log.info("Reading the list {key} of {source}", key=offer.key, source=source.name)
            touched = await self._importer.read(source, offer, self._wall())
            source_list.platforms, source_list.checked, source_list.doubted = touched, self._wall(), False

        try:
            what = f"The list {offer.key} of {source.name}"
            done = await source_list.attempts.run(what, read, self._clock.seconds, interval, self._schedule.jitter)
            return set(source_list.platforms) if done else set()
        finally:
            source.rest()
            self._budget.release(REFRESH, granted)

    async def _remember(self, source: ISource, source_list: SourceList) -> None:
        """
        Restore the time of the last read from an earlier run; a list without a state is not read before it is due.
        """
        known = await self._run(self._staging.known, source.name, source_list.offer.key)
        if known is not None:
            read, source_list.platforms = known
            source_list.checked = read.checked
            if source_list.offer.state is None and not source_list.doubted:
                age = max(0.0, self._wall() - read.checked)
                source_list.attempts.due = self._clock.seconds() + self._interval(source.name).total_seconds() - age

    def _wants(self, offer: Offer) -> bool:
        return self._wanted is None or offer.platform is None or offer.platform in self._wanted

    def _interval(self, source: str) -> timedelta:
        return self._schedule.intervals.get(source, self._schedule.interval)
