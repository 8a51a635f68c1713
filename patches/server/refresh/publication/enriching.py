"""
The platforms that are published again because of what enriching sources say.

Theory of operation. An enriching source delays no platform: whatever it has staged is merged into each publication that
is made anyway. On its own it causes one publication of a platform a day at most, as scores change every day; before it
counts, all enriching sources that are being read are waited for, so that the years of NVD are one change. At once it is
published that a platform's list is made with another set of enriching sources than before, and a new entry of KEV, in
each platform that has a record with its id.
"""

from __future__ import annotations

from collections.abc import Mapping, Set

from twisted.logger import Logger

from patches.server.catalogue.snapshot import Snapshot
from patches.server.catalogue.store import Catalogue
from patches.server.refresh.list_state import ListEvent
from patches.server.refresh.schedule import RefreshContext
from patches.server.refresh.source_set import SourceSet
from patches.server.refresh.source_state import SourceList, SourceState
from patches.server.refresh.staging import StagingStore
from patches.server.refresh.status import ListStatus
from patches.vulnerability import ALL_PLATFORMS

log = Logger()

#: The shortest time between two publications of a platform that only enriching sources cause, in seconds.
DAY_SECONDS = 86_400.0


class EnrichedPlatforms:
    """The enriching sources of a server, and what of them is not published yet."""

    def __init__(
        self, context: RefreshContext, catalogue: Catalogue, staging: StagingStore, source_set: SourceSet
    ) -> None:
        self._context = context
        self._catalogue = catalogue
        self._staging = staging
        self._source_set = source_set

    async def due(self, statuses: Mapping[str, ListStatus], is_polled: bool) -> set[str]:
        """
        Return the platforms to publish now.

        :param statuses: the status of each platform's list.
        :param is_polled: whether an enriching source is being read.
        """
        newest = {name: snapshot for name in statuses if (snapshot := self._newest(name, statuses)) is not None}
        lists = self._lists()
        for state, each in lists:
            await self._follow(state, each, newest.keys())
        found = await self._of_new_entries([each for _, each in lists])
        if newest and not is_polled:
            found |= await self._of_other_sources(newest)
            changed = {name for _, each in lists for name in each.unpublished}
            found |= {name for name in changed if self._is_a_day_old(newest[name])}
        return found

    async def note_published(self, platform: str) -> None:
        """Note that a platform was published with what was staged before."""
        for state, each in self._lists():
            if platform in each.unpublished:
                each.published(platform, ListEvent.PUBLISHED)
                await self._note_whole(state, each)

    def _lists(self) -> list[tuple[SourceState, SourceList]]:
        return [(state, each) for state in self._source_set.enriching for each in state.source_lists.values()]

    def _newest(self, platform: str, statuses: Mapping[str, ListStatus]) -> Snapshot | None:
        """Return the newest snapshot of a platform that can be built again; ``None`` if there is none."""
        status = statuses[platform]
        return (status.held_back or status.snapshot) if self._source_set.source_lists(platform) else None

    async def _follow(self, state: SourceState, source_list: SourceList, platforms: Set[str]) -> None:
        """Replace the mark that a list is not published by the platforms that lack it; forget those that are gone."""
        before = source_list.unpublished
        source_list.unpublished = set(platforms) if ALL_PLATFORMS in before else before & platforms
        if before and not source_list.unpublished:
            source_list.published(ALL_PLATFORMS, ListEvent.PUBLISHED)
            await self._note_whole(state, source_list)

    async def _note_whole(self, state: SourceState, source_list: SourceList) -> None:
        if not source_list.unpublished:
            await self._context.run(self._staging.note_published, state.source.name, source_list.offer.key)

    async def _of_new_entries(self, lists: list[SourceList]) -> set[str]:
        """Return the platforms with a record of a new entry that is published at once."""
        found: set[str] = set()
        for each in lists:
            if each.fresh:
                touched = await self._context.run(self._catalogue.platforms_with, each.fresh)
                if touched & each.unpublished:
                    log.info("New entries of {key} are published at once", key=each.offer.key)
                found |= touched & each.unpublished
                each.fresh = frozenset()
        return found

    async def _of_other_sources(self, newest: Mapping[str, Snapshot]) -> set[str]:
        """Return the platforms whose list was made with other enriching sources than there are now."""
        staged = await self._context.run(self._staging.enriching_sources)
        now = staged & {state.source.name for state in self._source_set.enriching}
        return {name for name, snapshot in newest.items() if snapshot.enriching_sources != now}

    def _is_a_day_old(self, snapshot: Snapshot) -> bool:
        age = self._context.wall() - snapshot.created
        return age >= DAY_SECONDS or age < 0  # negative: the time of day was set back; it says nothing
