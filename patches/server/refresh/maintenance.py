"""Maintenance: the repeated work of a server on its catalogue, which goes on when the catalogue is unavailable."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from patches.server.catalogue.deltas import Deltas
from patches.server.errors import CatalogueAway, CatalogueError
from patches.server.refresh.leadership import Leadership
from patches.server.refresh.refresher import Refresher
from patches.server.refresh.repair.damaged_lists import DamagedLists
from patches.server.refresh.repair.scrub import Scrub
from patches.service.periodic import PeriodicService

log = Logger()


class RefreshService(PeriodicService):
    """Refreshes every second; when it stops, whatever is being read or published is interrupted."""

    def __init__(self, maintenance: Maintenance, refresh: Refresher, clock: IReactorTime) -> None:
        super().__init__("Refreshing lists", timedelta(seconds=1), maintenance.refresh, clock)
        self._refresh = refresh

    def stopService(self) -> Deferred[Any] | None:
        """Interrupt the refresh, and wait for the last tick."""
        self._refresh.stop()
        return super().stopService()


class Maintenance:
    """
    The maintenance of one server.

    :param revisions_in_use: returns the revisions that sessions read, which are kept.
    :param deltas: the deltas to the current snapshots.
    :param leadership: ``None``: the catalogue is not shared.
    :param repair: replaces the file of the catalogue, if it was found damaged. Returns whether it was.
    :param scrub: looks for damage.
    :param forget_files: deletes fetched files that no source has used for a long time.
    :param note_away: called when the database was found away, and logs that.
    """

    def __init__(
        self,
        revisions_in_use: Callable[[], set[str]],
        refresh: Refresher,
        deltas: Deltas,
        leadership: Leadership | None,
        forget_files: Callable[[], Awaitable[object]],
        repair: Callable[[], Awaitable[bool]],
        scrub: Scrub,
        note_away: Callable[[CatalogueAway], None],
    ) -> None:
        self._revisions_in_use = revisions_in_use
        self._refresh = refresh
        self._deltas = deltas
        self._leadership = leadership
        self._forget_files = forget_files
        self._repair = repair
        self._scrub = scrub
        self._note_away = note_away
        self._damaged = DamagedLists(refresh.registry, deltas)
        self._started = False
        self._troubles: dict[str, str] = {}

    async def refresh(self) -> None:
        """Refresh the lists that are due; at the first call, load the catalogue before."""
        await self._try("refresh", self._go_on)

    async def prune(self) -> None:
        """Delete unused snapshots; also fetched files, once the sources have marked those that they use."""
        await self._try("prune", self._prune)

    async def scrub(self) -> None:
        """Verify some more of what is stored."""
        if self._started:
            await self._try("scrub", self._scrub_next)

    async def _scrub_next(self) -> None:
        await self._scrub.tick(self._refresh.leads())

    async def _go_on(self) -> None:
        if await self._repair():
            await self._refresh.registry.load_current()
        if not self._started:
            if self._leadership is not None:
                await self._leadership.check()
            await self._refresh.load_current()
            self._started = True
        damaged = await self._damaged.mark()
        await self._refresh.tick()
        current = [status.snapshot for status in self._refresh.statuses.values() if status.snapshot is not None]
        await self._deltas.tick(current, self._refresh.leads())
        self._refresh.registry.forget_damage(damaged)

    async def _prune(self) -> None:
        await self._refresh.registry.prune(self._revisions_in_use())
        if self._started and self._refresh.has_asked:
            await self._forget_files()

    async def _try(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """
        Run *work*; log an unavailable catalogue once, not every second.

        :param name: other work may go on meanwhile: it says neither that all is well, nor the same again.
        """
        try:
            await work()
        except CatalogueAway as error:
            self._note_away(error)
        except CatalogueError as error:
            if str(error) not in self._troubles.values():
                log.error("The catalogue cannot be used; retrying: {error}", error=error)
            self._troubles[name] = str(error)
        else:
            if self._troubles.pop(name, None) is not None and not self._troubles:
                log.info("The catalogue can be used again")
