"""The status of each platform's list: the current snapshot, one that is held back, and errors."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from attrs import define

from patches.server.catalogue.snapshot import Snapshot
from patches.server.refresh.retry_schedule import RetrySchedule
from patches.server.refresh.source_state import SourceList, SourceState, lists_about, problem_of

NO_SOURCE = "no source has a list of it"


@define(eq=False)
class ListStatus:
    """
    The status of one platform's list.

    :ivar held_back: a newer snapshot that is held back; ``None`` if there is none.
    :ivar failures: the number of failures of what it needs, since the last success.
    :ivar failed: the number of those failures in all.
    :ivar error: the last error; ``None`` after a success.
    :ivar is_empty: whether its sources have nothing about it, which is known, and no failure.
    :ivar on_demand: whether it is served only because scanners requested it.
    :ivar served: the greatest serial number of the lists that were served, also if the catalogue has lost them since.
    :ivar is_growing: whether a list of its sources was still growing when it was read: it is read again soon.
    """

    snapshot: Snapshot | None = None
    held_back: Snapshot | None = None
    failures: int = 0
    failed: int = 0
    error: str | None = None
    is_empty: bool = False
    on_demand: bool = False
    is_growing: bool = False
    served: int = 0

    def note_served(self) -> int:
        """Note the serial number of the current list. Return the greatest one that was served."""
        self.served = max(self.served, self.snapshot.serial if self.snapshot is not None else 0)
        return self.served

    @property
    def alarm(self) -> str | None:
        """The reason for which a newer list is held back; ``None`` if there is none."""
        return self.held_back.held_back if self.held_back is not None else None

    @property
    def damage(self) -> str | None:
        """The damage of the snapshot, or of the one that is held back; ``None``: none is known."""
        found = [each.damaged for each in (self.snapshot, self.held_back) if each is not None]
        return next(filter(None, found), None)

    def published(self, snapshot: Snapshot) -> None:
        """Record a snapshot that was published, or is held back."""
        self.held_back = snapshot if snapshot.held_back is not None else None
        self.snapshot = snapshot if snapshot.held_back is None else self.snapshot

    def load_current(
        self,
        snapshot: Snapshot | None,
        held_back: Snapshot | None,
        leads: bool,
        source_lists: Sequence[SourceList],
        now: float = math.inf,
    ) -> Iterator[tuple[Snapshot, float]]:
        """
        Store what the catalogue has as current and as held back, with their times of check unless source lists know
        better.

        :param leads: whether this server refreshes; otherwise what this server knew about its sources is discarded.
        :param source_lists: the lists from which it is built.
        :param now: seconds since the epoch.
        :return: snapshots that were checked later than the catalogue says, or not in the future, as it says; with the
            times.
        """
        self.note_served()
        if not leads:
            self.error, self.failures = None, 0
        pairs = []
        for here, there in ((self.snapshot, snapshot), (self.held_back, held_back)):
            facts = [(each.revision, each.damaged) for each in (here, there) if each is not None]
            same = len(facts) == 2 and facts[0] == facts[1]
            pairs.append((here if same and leads and source_lists else there, there))
        (self.snapshot, _), (self.held_back, _) = pairs
        return (
            (there, here.checked)
            for here, there in pairs
            if here is not None and there is not None and _replaces(here.checked, there.checked, now)
        )

    def move(self, seconds: float) -> None:
        """Move the times of check: the time of day was set."""
        here, held = self.snapshot, self.held_back
        self.snapshot = here.checked_at(here.checked + seconds) if here is not None else None
        self.held_back = held.checked_at(held.checked + seconds) if held is not None else None

    def update(
        self,
        platform: str,
        sources: Sequence[SourceState],
        publishing: RetrySchedule | None,
        now: float = math.inf,
    ) -> None:
        """
        Derive the status from the lists from which the snapshot is built.

        :param publishing: the schedule of publication, while the snapshot must be rebuilt.
        :param now: seconds since the epoch.
        """
        source_lists = lists_about(platform, sources)
        self.is_growing = any(each.is_growing for each in source_lists)
        attempts = [each for state in sources for each in state.lists_of(platform)]
        attempts += [publishing] if publishing is not None else []
        self.failures = max((each.failures for each in attempts), default=0)
        self.failed = max(self.failed, sum(each.failed for each in attempts))
        self.error = problem_of(sources, platform) or (publishing.error if publishing is not None else None)
        told = [state for state in sources if state.may_have(platform)]
        self.is_empty = (
            self.snapshot is None and bool(told) and all(state.told and state.is_empty(platform) for state in told)
        )
        if self.error is None and sources and not source_lists and all(state.told for state in sources):
            self.error = NO_SOURCE
        given = self._given(source_lists, sources)
        if publishing is None and given is not None and self.held_back is not None:
            self.held_back = _later(self.held_back, given, now)
        elif publishing is None and given is not None and self.snapshot is not None:
            self.snapshot = _later(self.snapshot, given, now)

    def checked(self, platform: str, sources: Sequence[SourceState], now: float) -> float:
        """
        Return the time at which all sources had confirmed their part of the list that is built from them now.

        A part that was not confirmed since was in the current list when that was checked, unless another server built
        it.

        :param now: seconds since the epoch.
        """
        source_lists = lists_about(platform, sources)
        given = self._given(source_lists, sources)
        before = self.snapshot.checked if self.snapshot is not None else None
        if given is None or before is None:
            return given or before or now
        if any(source_list.doubted for source_list in source_lists) or before > now:
            return given
        return max(given, before)

    def _given(self, source_lists: Sequence[SourceList], sources: Sequence[SourceState]) -> float | None:
        """Return the time at which the sources confirmed their lists; ``None`` if one of them has not yet."""
        parts = self.snapshot.sources if self.snapshot is not None else {}
        is_told = all(state.told or state.source.name not in parts for state in sources)
        times = [source_list.checked for source_list in source_lists]
        return min(times) if times and all(times) and is_told else None


def _later(snapshot: Snapshot, checked: float, now: float) -> Snapshot:
    return snapshot.checked_at(checked) if _replaces(checked, snapshot.checked, now) else snapshot


def _replaces(checked: float, before: float, now: float) -> bool:
    """Return whether a time of check replaces another: it is later, or the other is in the future, which is no time."""
    return checked > before or (checked != before and before > now)
