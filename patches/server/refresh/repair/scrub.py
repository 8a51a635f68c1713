"""
The scrub: what is stored is read and verified little by little, so that damage is found before a scanner needs it.

In each step one chunk of a snapshot or a delta is verified, and some staged lines; after the last of them it begins
again. The publications of a platform are compared with its list once an hour.
"""

from __future__ import annotations

from collections.abc import Iterator

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from patches.interfaces import Run
from patches.server.catalogue.delta_store import DeltaStore
from patches.server.catalogue.integrity import find_wrong_description, verified_chunk
from patches.server.catalogue.publication_store import PublicationStore
from patches.server.catalogue.snapshot import Snapshot
from patches.server.catalogue.store import Catalogue
from patches.server.errors import ChunkMissing, Damaged
from patches.server.refresh.platforms import PlatformRegistry
from patches.server.refresh.staging import StagingStore

log = Logger()

#: The staged lines that are verified in one step.
LINES_AT_ONCE = 2_000
#: How often the publications of a platform are compared with its list.
_PUBLICATIONS_SECONDS = 3600.0


class Scrub:
    """
    Verifies the catalogue and the staged lists of one server.

    :param run: runs what blocks.
    :ivar passes: how often all lists of the catalogue were verified.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        delta_store: DeltaStore,
        publication_store: PublicationStore,
        staging: StagingStore,
        registry: PlatformRegistry,
        run: Run,
        clock: IReactorTime,
    ) -> None:
        self._catalogue = catalogue
        self._delta_store = delta_store
        self._publication_store = publication_store
        self._staging = staging
        self._registry = registry
        self._run = run
        self._clock = clock
        self._left: Iterator[tuple[str, Snapshot | int]] = iter(())
        self._compared: dict[str, float] = {}
        self.passes = 0

    async def tick(self, leads: bool) -> None:
        """
        Do one step.

        :param leads: whether this server has the staged lists, and writes to the catalogue.
        :raises CatalogueError: if the catalogue, or a staged list, cannot be read.
        """
        found = await self._run(self._verify_next)
        if found is not None:
            self._registry.note_damage(*found)
        if leads:
            await self._run(self._staging.verify_some, LINES_AT_ONCE)
            await self._compare_publications()

    def _verify_next(self) -> tuple[str, str] | None:
        """Verify the next chunk or description. Return the revision of its list, and the damage; this blocks."""
        step = next(self._left, None)
        if step is None:
            self._left = iter(self._steps())
            self.passes += 1
            return next(((name, "its description was changed") for name in self._delta_store.damaged()), None)
        revision, what = step
        if isinstance(what, Snapshot):
            damage = next(find_wrong_description(self._catalogue, what), None)
        else:
            damage = self._damage_of_chunk(revision, what)
        # Only what is still stored can be damaged: a list may have been pruned, or made anew, meanwhile.
        return (revision, damage) if damage is not None and self._is_stored(revision) else None

    def _damage_of_chunk(self, revision: str, number: int) -> str | None:
        try:
            verified_chunk(self._catalogue, revision, number)
        except (Damaged, ChunkMissing) as damage:
            return str(damage)
        return None

    def _is_stored(self, revision: str) -> bool:
        snapshot = self._catalogue.find(revision)
        return revision in self._delta_store.names() if snapshot is None else snapshot.damaged is None

    def _steps(self) -> list[tuple[str, Snapshot | int]]:
        """Return what is to be verified, in its order: all descriptions, which is quick, before all chunks."""
        snapshots = [each for each in self._catalogue.snapshots() if each.damaged is None]
        deltas = [(name, len(self._catalogue.heads(name))) for name in self._delta_store.names()]
        chunks = [*((each.revision, each.chunks) for each in snapshots), *deltas]
        return [
            *((each.revision, each) for each in snapshots),
            *((revision, number) for revision, count in chunks for number in range(count)),
        ]

    async def _compare_publications(self) -> None:
        now = self._clock.seconds()
        for platform, status in self._registry.statuses.items():
            due = self._compared.get(platform, -_PUBLICATIONS_SECONDS) + _PUBLICATIONS_SECONDS
            if status.snapshot is None or status.snapshot.damaged is not None or due > now:
                continue
            self._compared[platform] = now
            try:
                changed = await self._run(self._publication_store.mend, platform)
            except Damaged as damage:
                self._registry.note_damage(status.snapshot.revision, damage)
                del self._compared[platform]
                return
            if changed:
                log.error(
                    "The publications of {platform} were damaged: {count} rows were mended from its list",
                    platform=platform,
                    count=changed,
                )
            return
