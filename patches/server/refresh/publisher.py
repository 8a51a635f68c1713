"""Publication: the lists of a platform become its snapshot, unless the result is implausible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from attrs import frozen
from twisted.logger import Logger

from patches.interfaces import ISource
from patches.server.catalogue.snapshot import Snapshot
from patches.server.catalogue.store import Catalogue
from patches.server.refresh.merge import merge
from patches.server.refresh.staging import StagingStore

log = Logger()


@frozen
class Guard:
    """
    The rules by which a new snapshot is held back.

    :ivar most_shrink: the fraction by which it may be shorter than the current one.
    """

    most_shrink: float = 0.1

    def objection(self, current: Snapshot | None, vulnerabilities: int) -> str | None:
        """Return the reason for which a list of this length must not replace the current one; ``None`` if it may."""
        if current is None or vulnerabilities >= current.vulnerabilities * (1 - self.most_shrink):
            return None
        lost = 1 - vulnerabilities / current.vulnerabilities
        return (
            f"the new list has {vulnerabilities} vulnerabilities, {lost:.0%} less than the current one; "
            "patches catalogue publish accepts it"
        )


class Publisher:
    """
    Builds snapshots from lists; every method blocks.

    :param folder: the folder of scratch files.
    """

    def __init__(self, catalogue: Catalogue, staging: StagingStore, guard: Guard, folder: Path) -> None:
        self._catalogue = catalogue
        self._staging = staging
        self._guard = guard
        self._folder = folder

    def publish(self, platform: str, sources: Sequence[ISource], checked: float, now: float) -> Snapshot | None:
        """
        Merge the lists of a platform, and make the result current, unless the guard objects.

        :param sources: every source, in the order of the configuration.
        :param checked: the time at which all of them had these lists; seconds since the epoch.
        :param now: likewise.
        :return: the snapshot, which is current or ``held_back``; ``None`` if no source has a list of this platform.
        """
        facts = self._staging.facts(platform)
        ranked = sorted(sources, key=lambda source: source.rank)
        names = [source.name for source in ranked if source.name in facts]
        if not names:
            return None
        staging = [partial(self._staging.lines, platform, name) for name in names]
        lines = merge(staging, self._folder / f"{platform}.merge")
        snapshot = self._catalogue.publish(platform, lines, facts, now, self._guard.objection, checked)
        if snapshot.held_back is not None:
            log.error("{platform}: not published: {why}", platform=platform, why=snapshot.held_back)
        else:
            _tell(snapshot, facts)
        return snapshot


def _tell(snapshot: Snapshot, facts: Mapping[str, Mapping[str, object]]) -> None:
    log.info(
        "{platform}: {count} vulnerabilities in {chunks} chunks, revision {revision}; sources: {facts}",
        platform=snapshot.platform,
        count=snapshot.vulnerabilities,
        chunks=snapshot.chunks,
        revision=snapshot.revision,
        facts=dict(facts),
    )
