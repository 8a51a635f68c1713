"""
Refresh: reads vulnerability sources into the catalogue, and tells which snapshot of a platform is current.

A refresh that fails leaves the last snapshot as it is; it is logged, shown, and tried again. An empty list is a
failure: a Clair that is still loading, or that has seen an image of it only, shows a platform without vulnerabilities.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

from attrs import define, frozen
from twisted.internet.defer import CancelledError
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from patches.interfaces import IListing, ISource, ListChanged, SourceError
from patches.server.budget import REFRESH, REFRESH_BYTES, Budget
from patches.server.catalogue import Catalogue, Snapshot
from patches.server.spool import Spool
from patches.server.threads import Run

log = Logger()

_BATCH = 200
_TRIES = 5
_FIRST_RETRY = timedelta(seconds=10)
#: A snapshot that was replaced is kept this long for sessions that come back after a restart.
KEEP_RETIRED = timedelta(hours=1)


class UnknownPlatform(Exception):
    """No source has a list of this platform, and none is expected to."""


class NotReady(Exception):
    """The platform is served, but its list has not been read yet."""


@frozen
class Schedule:
    """
    When to refresh.

    :ivar interval: how old a snapshot's last check may be.
    :ivar platforms: what to serve; empty: whatever the sources have.
    """

    interval: timedelta
    platforms: tuple[str, ...] = ()


@define(eq=False)
class ListStatus:
    """
    What is known of one platform's list.

    :ivar due: when to refresh, in seconds of the clock.
    :ivar failures: how often the refresh failed since it last succeeded.
    :ivar failed: how often it failed in all.
    :ivar error: why it failed last; ``None`` after a success.
    """

    snapshot: Snapshot | None = None
    due: float = 0.0
    failures: int = 0
    failed: int = 0
    error: str | None = None


class Refresh:
    """
    Keeps the snapshots of all platforms fresh.

    :param run: runs what blocks.
    :param folder: where spools go.
    :param wall: tells the time in seconds since the epoch.
    :ivar statuses: by platform.
    """

    def __init__(
        self,
        sources: Sequence[ISource],
        catalogue: Catalogue,
        schedule: Schedule,
        budget: Budget,
        run: Run,
        folder: Path,
        clock: IReactorTime,
        wall: Callable[[], float],
    ) -> None:
        self.statuses: dict[str, ListStatus] = {name: ListStatus() for name in schedule.platforms}
        self._sources = sources
        self._catalogue = catalogue
        self._schedule = schedule
        self._budget = budget
        self._run = run
        self._folder = folder
        self._clock = clock
        self._wall = wall
        self._asked = ListStatus()
        self._known = bool(schedule.platforms)
        self._listed: dict[str, ISource] = {}

    def current(self, platform: str) -> Snapshot:
        """
        Give the current snapshot of a platform.

        :raises UnknownPlatform: if it is not served.
        :raises NotReady: if it is not there yet.
        """
        status = self.statuses.get(platform)
        if status is None and self._known:
            raise UnknownPlatform(platform)
        if status is None or status.snapshot is None:
            raise NotReady(platform)
        return status.snapshot

    async def find(self, revision: str) -> Snapshot | None:
        """Give a snapshot that is still in the catalogue, current or not."""
        return await self._run(self._catalogue.find, revision)

    @property
    def ready(self) -> bool:
        """Whether every platform that is served has a snapshot."""
        return bool(self.statuses) and all(status.snapshot is not None for status in self.statuses.values())

    @property
    def problem(self) -> str | None:
        """Why it cannot be told which platforms there are; ``None`` if it can."""
        return self._asked.error

    async def start(self) -> None:
        """Take up what the catalogue has from an earlier run."""
        for snapshot in await self._run(self._catalogue.current):
            if not self._schedule.platforms or snapshot.platform in self.statuses:
                status = self.statuses.setdefault(snapshot.platform, ListStatus())
                status.snapshot = snapshot
                age = max(0.0, self._wall() - snapshot.checked)
                status.due = self._clock.seconds() + self._schedule.interval.total_seconds() - age

    async def tick(self) -> None:
        """Refresh what is due, one platform after the other."""
        if any(status.due <= self._clock.seconds() for status in (self._asked, *self.statuses.values())):
            await self._ask_for_platforms()
        for platform, status in list(self.statuses.items()):
            if status.due <= self._clock.seconds() and platform in self._listed:
                await self._try(platform, status)

    async def prune(self, in_use: set[str]) -> None:
        """Delete snapshots that nobody reads any more."""
        await self._run(self._catalogue.prune, in_use, self._wall() - KEEP_RETIRED.total_seconds())

    async def _ask_for_platforms(self) -> None:
        """Learn which source has which platform; the first source that has it is read."""
        if self._asked.due > self._clock.seconds():
            return
        try:
            listed = await self._list_platforms()
        except SourceError as error:
            self._note_failure(self._asked, "the list of platforms", str(error))
            return
        except CancelledError:
            raise
        except Exception:
            log.failure("A source failed to tell its platforms")
            self._note_failure(self._asked, "the list of platforms", "internal error; see the log")
            return
        self._note_success(self._asked)
        self._listed, self._known = listed, True
        for platform in listed if not self._schedule.platforms else ():
            self.statuses.setdefault(platform, ListStatus())
        for platform, status in self.statuses.items():
            if platform not in listed:
                self._note_failure(status, platform, "no source has a list of it")
                self._asked.due = min(self._asked.due, status.due)

    async def _list_platforms(self) -> dict[str, ISource]:
        listed: dict[str, ISource] = {}
        for source in self._sources:
            for platform in await source.platforms():
                listed.setdefault(platform, source)
        if not listed and not self.statuses:
            raise SourceError("no source has a list of any platform")
        return listed

    async def _try(self, platform: str, status: ListStatus) -> None:
        if not self._budget.take(REFRESH, REFRESH_BYTES):
            return
        try:
            status.snapshot = await self._refresh(platform, self._listed[platform])
            self._note_success(status)
        except SourceError as error:
            self._note_failure(status, platform, str(error))
        except CancelledError:
            raise  # the server stops: no failure, and nothing else is to begin
        except Exception:
            log.failure("The refresh of {platform} failed", platform=platform)
            self._note_failure(status, platform, "internal error; see the log")
        finally:
            self._budget.release(REFRESH, REFRESH_BYTES)

    async def _refresh(self, platform: str, source: ISource) -> Snapshot:
        log.info("Reading the list of {platform} from {source}", platform=platform, source=source.name)
        spool = await self._run(Spool, self._folder / f"{platform}.spool")
        try:
            skipped = await self._fill(spool, source, platform)
            read = await self._run(len, spool)
            if not read:
                raise SourceError("the list is empty")
            sources = {source.name: {"read": read, "skipped": dict(skipped)}}
            publish = self._catalogue.publish
            snapshot = await self._run(publish, platform, spool.lines(), sources, self._wall())
        finally:
            await self._run(spool.close)
        log.info(
            "{platform}: {count} vulnerabilities in {chunks} chunks, revision {revision}; skipped: {skipped}",
            platform=platform,
            count=snapshot.vulnerabilities,
            chunks=snapshot.chunks,
            revision=snapshot.revision,
            skipped=dict(skipped) or "nothing",
        )
        return snapshot

    async def _fill(self, spool: Spool, source: ISource, platform: str) -> Counter[str]:
        for _ in range(_TRIES):
            await self._run(spool.clear)
            listing = source.listing(platform)
            try:
                await self._copy(listing, spool)
                return Counter(listing.skipped)
            except ListChanged as change:
                log.warn("The list of {platform} is read again: {change}", platform=platform, change=str(change))
        raise SourceError(f"the list changed under {_TRIES} readings")

    async def _copy(self, listing: IListing, spool: Spool) -> None:
        batch = []
        async for vulnerability in listing:
            batch.append(vulnerability)
            if len(batch) == _BATCH:
                await self._run(spool.add, batch)
                batch = []
        await self._run(spool.add, batch)

    def _note_success(self, status: ListStatus) -> None:
        status.failures, status.error = 0, None
        status.due = self._clock.seconds() + self._schedule.interval.total_seconds()

    def _note_failure(self, status: ListStatus, what: str, error: str) -> None:
        status.failures += 1
        status.failed += 1
        status.error = error
        pause = min(_FIRST_RETRY * 2 ** min(status.failures - 1, 10), self._schedule.interval)
        status.due = self._clock.seconds() + pause.total_seconds()
        log.error("{what} could not be refreshed: {error}", what=what, error=error)
