"""Publication: the lists of a platform become its snapshot, unless the result is implausible."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from attrs import frozen
from twisted.logger import Logger

from patches.interfaces import ISource
from patches.server.catalogue.chunks import split_large
from patches.server.catalogue.integrity import read_lines
from patches.server.catalogue.snapshot import Snapshot
from patches.server.catalogue.store import Catalogue
from patches.server.errors import CatalogueError
from patches.server.refresh.publication.changes import ChangeCount
from patches.server.refresh.publication.merge import enriched_lines, merge
from patches.server.refresh.staging import StagingStore
from patches.vulnerability import ALL_PLATFORMS
from patches.wording import counted

log = Logger()

#: The command that accepts a list which is held back.
ACCEPTING = "patches catalogue publish"


@frozen
class Guard:
    """
    The rules by which a new snapshot is held back.

    :ivar most_shrink: the fraction by which it may be shorter than the current one.
    :ivar accepting: the command that accepts it.
    """

    most_shrink: float = 0.1
    accepting: str = ACCEPTING

    def objection(self, current: Snapshot | None, vulnerabilities: int) -> str | None:
        """Return the reason for which a list of this length must not replace the current one; ``None`` if it may."""
        if current is None or vulnerabilities >= current.vulnerabilities * (1 - self.most_shrink):
            return None
        lost = 1 - vulnerabilities / current.vulnerabilities
        return (
            f"the new list has {counted(vulnerabilities, 'vulnerability')}, {lost:.0%} less than the current one; "
            f"{self.accepting} accepts it"
        )


class Stopped(CatalogueError):
    """The server stops; nothing was published."""


class Publisher:
    """
    Builds snapshots from lists.

    :param folder: the folder of scratch files.
    """

    def __init__(self, catalogue: Catalogue, staging: StagingStore, guard: Guard, folder: Path) -> None:
        self._catalogue = catalogue
        self._staging = staging
        self._guard = guard
        self._folder = folder
        self._stopping = threading.Event()

    def stop(self) -> None:
        """End a publication that is in progress in another thread, without a result; no other one begins."""
        self._stopping.set()

    def publish(
        self,
        platform: str,
        sources: Sequence[ISource],
        checked: float,
        now: float,
        steady: float | None = None,
        served: int = 0,
    ) -> Snapshot | None:
        """
        Merge the lists of a platform, and make the result current, unless the guard objects; blocks.

        :param sources: every source, in the order of the configuration.
        :param checked: the time at which all of them had these lists; seconds since the epoch.
        :param now: likewise.
        :param steady: likewise, for the age of what it replaces; ``None``: now.
        :param served: see :meth:`.Catalogue.publish`.
        :return: the snapshot, which is current or ``held_back``; ``None`` if no source has a list of this platform.
        :raises Stopped: if the server stops meanwhile.
        """
        with self._staging.view() as staged:
            facts = staged.facts(platform)
            ranked = sorted((each for each in sources if not each.enriches), key=lambda source: source.rank)
            names = [source.name for source in ranked if source.name in facts]
            if not names:
                return None
            lists = [partial(staged.lines, platform, name) for name in names]
            merged = merge(lists, self._folder / f"{platform}.merge")
            enriching = _enriching(sources, staged.facts(ALL_PLATFORMS))
            if enriching:
                merged = enriched_lines(merged, staged.facts_of(tuple(enriching)))
                facts |= enriching
            changes = ChangeCount()
            lines = self._until_stopped(changes.counted(self._current_lines(platform, changes), split_large(merged)))
            with closing(lines):  # before the view is, also if they are not read to their end
                objection = self._guard.objection
                times = now, objection, checked, steady
                snapshot = self._catalogue.publish(platform, lines, facts, *times, served)
        if snapshot.held_back is not None:
            log.error("{platform}: not published: {why}", platform=platform, why=snapshot.held_back)
        else:
            _tell(snapshot, facts, changes)
        return snapshot

    def _current_lines(self, platform: str, changes: ChangeCount) -> Iterable[bytes]:
        current = next((each for each in self._catalogue.current() if each.platform == platform), None)
        changes.is_first = current is None
        return read_lines(self._catalogue, current) if current is not None else ()

    def _until_stopped(self, lines: Iterable[bytes]) -> Generator[bytes, None, None]:
        for line in lines:
            if self._stopping.is_set():
                raise Stopped("the server stops")
            yield line


def _enriching(sources: Sequence[ISource], facts: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the numbers of records read by enriching sources that have staged some, and what each adds; by rank."""
    ranked = sorted((source for source in sources if source.enriches), key=lambda source: source.rank)
    return {
        source.name: {**facts[source.name], "enriches": source.enriches} for source in ranked if source.name in facts
    }


def _tell(snapshot: Snapshot, facts: Mapping[str, Mapping[str, Any]], changes: ChangeCount) -> None:
    log.info(
        "{platform}: {vulnerabilities} in {chunks}, revision {revision}: {changes}; {sources}",
        platform=snapshot.platform,
        vulnerabilities=counted(snapshot.vulnerabilities, "vulnerability"),
        chunks=counted(snapshot.chunks, "chunk"),
        revision=snapshot.revision,
        changes=str(changes),
        sources="; ".join(describe_source(name, fact) for name, fact in facts.items()),
    )


def describe_source(name: str, facts: Mapping[str, Any]) -> str:
    """
    Describe in words how a list was read: ``osv: 40 entries read of 43, 3 skipped (2 withdrawn, 1 invalid version)``.

    :param facts: the facts of one source; see :meth:`.StagingStore.facts`.
    """
    text = f"{name}: {counted(facts['read'], 'entry')} read"
    if "claimed" in facts:
        text += f" of {facts['claimed']}"
    skipped = Counter(facts["skipped"])
    if skipped:
        reasons = ", ".join(f"{count} {reason}" for reason, count in skipped.most_common())
        text += f", {skipped.total()} skipped ({reasons})"
    return text
