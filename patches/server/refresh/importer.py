"""
Import: one list of a source, or its changes, is read into the staging store, whole or not at all.

A list that is empty, and always was, is known to be empty. A list that had records before, and has none now, is an
error: a Clair that is still loading shows such lists.
"""

from __future__ import annotations

from collections.abc import Callable, Container

from twisted.logger import Logger

from patches.errors import ListChanged, SourceError
from patches.interfaces import IListing, ISource, Offer, Run
from patches.server.refresh.source_state import EMPTY
from patches.server.refresh.staging import ImportResult, StagingStore
from patches.skipped import in_words
from patches.vulnerability import FOLLOWED

log = Logger()

_BATCH = 200
_TRIES = 5


class Importer:
    """
    Reads lists. What a cancelled import leaves behind is deleted at the next start.

    :param run: runs what blocks.
    :param wanted: the platforms whose records are stored; ``None``: all.
    """

    def __init__(self, staging: StagingStore, run: Run, wanted: Container[str] | None) -> None:
        self._staging = staging
        self._run = run
        self._wanted = wanted

    async def read(
        self, source: ISource, offer: Offer, now: float, note: Callable[[IListing], None] = lambda listing: None
    ) -> set[str] | None:
        """
        Read a list.

        :param now: seconds since the epoch.
        :param note: called with the listing before it is read.
        :return: the platforms of the list, before and now; ``None``: the list is empty, as it was before.
        :raises SourceError: if it cannot be read whole, is empty though it was not before or though it has entries, or
            has not the length that the source claims.
        """
        for _ in range(_TRIES):
            known = await self._run(self._staging.known, source.name, offer.key)
            import_id = await self._run(self._staging.begin, source.name, offer.key)
            try:
                listing = source.listing(offer.key, known[0].state if known is not None else None)
                note(listing)
                count = await self._copy(listing, import_id, None if source.enriches else self._wanted)
                if not count and not listing.partial and not listing.skipped and (known is None or not known[1]):
                    await self._run(self._staging.discard, import_id)
                    return None
                _check(listing, count + bool(source.enriches and listing.skipped))
                read = ImportResult(listing.state or offer.state, listing.claimed, listing.skipped, now)
                commit = self._staging.commit_changes if listing.partial else self._staging.commit
                return await self._run(commit, import_id, read, listing.gone)
            except ListChanged as change:
                log.warn("Reading the list {key} again: {change}", key=offer.key, change=str(change))
                await self._run(self._staging.discard, import_id)
            except Exception:
                await self._run(self._staging.discard, import_id)
                raise
        raise SourceError(f"the list changed during each of {_TRIES} attempts to read it")

    async def _copy(self, listing: IListing, import_id: int, wanted: Container[str] | None) -> int:
        """
        Store the records of a listing. Return how many vulnerabilities were read, wanted or not.

        The lists of followed packages are about no vulnerability: a list of nothing else is empty.
        """
        batch, count = [], 0
        async for vulnerability in listing:
            count += vulnerability.name != FOLLOWED
            if wanted is None or vulnerability.platform in wanted:
                batch.append(vulnerability)
            if len(batch) == _BATCH:
                await self._run(self._staging.add, import_id, batch)
                batch = []
        await self._run(self._staging.add, import_id, batch)
        return count


def _check(listing: IListing, count: int) -> None:
    if not count and not listing.partial:
        raise SourceError(f"{EMPTY}: {in_words(listing.skipped)}" if listing.skipped else EMPTY)
    if listing.claimed is not None and listing.found != listing.claimed:
        raise SourceError(
            f"the source says that its list has {listing.claimed} entries, but {listing.found} were found"
        )
