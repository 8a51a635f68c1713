"""
The deltas to current lists: computed when a list is replaced, found by the revision that a scanner has.

They are computed in advance, once the new list is current. Until then, and where a delta would not be much shorter than
the list, scanners get the whole list. Only the server that refreshes computes them; all servers serve them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from attrs import evolve
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from patches.interfaces import Run
from patches.server.budget import REFRESH, REFRESH_BYTES
from patches.server.catalogue.delta import Delta, NoDelta, delta_chunks, delta_name
from patches.server.catalogue.delta_store import DeltaStore
from patches.server.catalogue.diff import NotOrdered
from patches.server.catalogue.integrity import read_lines
from patches.server.catalogue.pruning import MOST_REPLACED
from patches.server.catalogue.snapshot import Snapshot
from patches.server.catalogue.store import Catalogue
from patches.server.errors import ChunkMissing, Damaged
from patches.service.budget import Budget

log = Logger()

#: The largest delta: as a part of the bytes of the resulting list, and in bytes.
_MOST_PART, _MOST_BYTES = 0.5, 1024 * 1024
_TAKE_UP_SECONDS = 10.0


class Deltas:
    """
    The deltas to the current lists.

    :param run: runs what blocks.
    :param read: likewise, for requests; ``None``: as *run*.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        store: DeltaStore,
        budget: Budget,
        run: Run,
        clock: IReactorTime,
        read: Run | None = None,
    ) -> None:
        self._catalogue = catalogue
        self._store = store
        self._budget = budget
        self._run = run
        self._read = read or run
        self._clock = clock
        self._known: dict[tuple[str, str], Delta] = {}
        self._names: set[str] | None = None
        self._made: dict[str, str] = {}
        self._taken_up: float | None = None

    def find(self, since: Any, snapshot: Snapshot) -> Delta | None:
        """
        Return the delta to a current list, if there is one.

        :param since: the revision that the scanner has.
        """
        delta = self._known.get((str(since), snapshot.revision))
        return evolve(delta, snapshot=snapshot) if delta is not None else None

    async def named(self, name: str) -> Delta | None:
        """Return a delta by its own name, if the catalogue still has it; also a delta to a list that was replaced."""
        revision = await self._read(self._store.target, name)
        snapshot = await self._read(self._catalogue.find, revision) if revision is not None else None
        leading = await self._read(self._store.leading_to, snapshot) if snapshot is not None else []
        return next((delta for delta in leading if delta.revision == name), None)

    async def drop(self, name: str) -> bool:
        """Delete a delta that is damaged; it is computed again. Return whether it was there."""
        dropped = await self._run(self._store.drop, name)
        self._known = {key: delta for key, delta in self._known.items() if delta.revision != name}
        if dropped:
            self._made.clear()
            self._names = self._taken_up = None
        return dropped

    async def tick(self, current: Iterable[Snapshot], leads: bool) -> None:
        """
        Compute the deltas that are missing, and load those that another server has stored.

        :param leads: whether this server writes to the catalogue; else another one does.
        """
        snapshots = list(current)
        for snapshot in snapshots:
            if leads and self._made.get(snapshot.platform) != snapshot.revision and await self._make(snapshot):
                self._made[snapshot.platform] = snapshot.revision
                self._names = self._taken_up = None
        if self._taken_up is None or self._clock.seconds() - self._taken_up >= _TAKE_UP_SECONDS:
            await self._load_stored(snapshots)

    async def _load_stored(self, snapshots: list[Snapshot]) -> None:
        names = await self._run(self._store.names)
        revisions = {snapshot.revision for snapshot in snapshots}
        if names != self._names or not revisions.issuperset(revision for _, revision in self._known):
            leading = [await self._run(self._store.leading_to, snapshot) for snapshot in snapshots]
            self._known = {(each.since, each.snapshot.revision): each for deltas in leading for each in deltas}
            self._names = names
        self._taken_up = self._clock.seconds()

    async def _make(self, snapshot: Snapshot) -> bool:
        """Compute the deltas to a list. Return whether there was memory for it."""
        if not self._budget.take(REFRESH, REFRESH_BYTES):
            return False
        try:
            await self._run(self._make_all, snapshot)
        finally:
            self._budget.release(REFRESH, REFRESH_BYTES)
        return True

    def _make_all(self, snapshot: Snapshot) -> None:
        """Compute the missing deltas; this blocks."""
        there = self._store.names().difference(self._store.damaged())
        allowed = min(int(self._store.size(snapshot) * _MOST_PART), _MOST_BYTES)
        for old in self._catalogue.replaced(snapshot.platform)[:MOST_REPLACED]:
            if old.revision != snapshot.revision and delta_name(old.revision, snapshot.revision) not in there:
                self._make_one(old, snapshot, allowed)

    def _make_one(self, old: Snapshot, new: Snapshot, allowed: int) -> None:
        lines = read_lines(self._catalogue, old), read_lines(self._catalogue, new)
        try:
            chunks = delta_chunks(*lines, allowed)
        except (NoDelta, ChunkMissing):
            return  # it would be too long, or one of them was pruned
        except (NotOrdered, Damaged) as error:
            log.warn("{platform}: no delta since {old}: {why}", platform=old.platform, old=old.revision, why=str(error))
            return
        self._store.put(old.revision, new.revision, chunks)
        log.info(
            "{platform}: {changes} changes since {old}, in {size} bytes",
            platform=new.platform,
            changes=sum(chunk.vulnerabilities for chunk in chunks),
            old=old.revision,
            size=sum(len(chunk.encoded) for chunk in chunks),
        )
