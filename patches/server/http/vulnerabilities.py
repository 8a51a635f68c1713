"""The publications of a vulnerability id, as the API tells them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from twisted.internet.defer import DeferredSemaphore

from patches.interfaces import Run
from patches.server.catalogue.publication_store import PublicationStore
from patches.server.catalogue.publications import Interval, Publication
from patches.server.errors import UnknownVulnerability
from patches.wire import rfc3339

#: The most intervals of a platform that are told: the latest ones.
MOST_INTERVALS = 100
#: The longest id that is looked up, in characters.
MOST_CHARACTERS = 1000


class VulnerabilityLookup:
    """
    Answers in which publications a vulnerability id is, or was.

    One id is looked up at a time, so that many requests do not occupy all threads.

    :param run: runs what blocks.
    """

    def __init__(self, store: PublicationStore, run: Run) -> None:
        self._store = store
        self._run = run
        self._alone = DeferredSemaphore(1)

    async def document(self, vulnerability_id: str) -> dict[str, Any]:
        """
        Return the platforms whose lists have, or had, an id, and in which publications.

        :raises UnknownVulnerability: if no list had it within the time for which this is kept.
        """
        if len(vulnerability_id) > MOST_CHARACTERS:
            raise UnknownVulnerability(f"{vulnerability_id[:MOST_CHARACTERS]}…")
        found = await self._alone.run(self._run, self._store.find, vulnerability_id)
        if not found:
            raise UnknownVulnerability(vulnerability_id)
        return vulnerability_document(vulnerability_id, found)


def vulnerability_document(vulnerability_id: str, found: Mapping[str, Sequence[Interval]]) -> dict[str, Any]:
    """Describe the publications of an id, by platform."""
    return {"id": vulnerability_id, "platforms": [_platform(name, found[name]) for name in sorted(found)]}


def _platform(name: str, intervals: Sequence[Interval]) -> dict[str, Any]:
    told = intervals[-MOST_INTERVALS:]
    last = intervals[-1].last
    return {
        "platform": name,
        "current": intervals[-1].is_current,
        "first": _publication(intervals[0].first),
        "last": _publication(last),
        "withdrawn": rfc3339(last.ended) if last.ended is not None else None,
        "intervals": [{"first": _publication(each.first), "last": _publication(each.last)} for each in told],
    }


def _publication(publication: Publication) -> dict[str, Any]:
    return {"publication": publication.number, "published": rfc3339(publication.published)}
