"""What is known of each platform's list: what is current, what is held back, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import define, evolve

from patches.server.catalogue.snapshot import Snapshot
from patches.server.refresh.source_state import RetrySchedule, SourceList, SourceState, lists_about

NO_SOURCE = "no source has a list of it"


@define(eq=False)
class ListStatus:
    """
    What is known of one platform's list.

    :ivar held: a newer list that is held back; ``None`` if none is.
    :ivar failures: how often what it needs failed since it last succeeded.
    :ivar failed: how often that failed in all.
    :ivar error: why it failed last; ``None`` after a success.
    :ivar on_demand: whether it is here only because scanners have asked for it.
    """

    snapshot: Snapshot | None = None
    held_back: Snapshot | None = None
    failures: int = 0
    failed: int = 0
    error: str | None = None
    on_demand: bool = False

    @property
    def alarm(self) -> str | None:
        """Why a newer list is held back; ``None`` if none is."""
        return self.held_back.held_back if self.held_back is not None else None

    def load_current(
        self, snapshot: Snapshot | None, held_back: Snapshot | None, leads: bool, source_lists: Sequence[SourceList]
    ) -> Iterator[tuple[Snapshot, float]]:
        """
        Note what the catalogue has as current, and as held back; when they were checked, too, unless feeds tell that.

        :param leads: whether this server refreshes it; else whatever it knew of sources is of no account any more.
        :param feeds: of which it is made.
        :return: snapshots of the catalogue that were checked later than it says, and when.
        """
        if not leads:
            self.error, self.failures = None, 0
        pairs = []
        for here, there in ((self.snapshot, snapshot), (self.held_back, held_back)):
            same = here is not None and there is not None and here.revision == there.revision
            pairs.append((here if same and leads and source_lists else there, there))
        (self.snapshot, _), (self.held_back, _) = pairs
        return (
            (there, here.checked)
            for here, there in pairs
            if here is not None and there is not None and here.checked > there.checked
        )

    def update(self, platform: str, sources: Sequence[SourceState], publishing: RetrySchedule | None) -> None:
        """
        Take over what is true of the lists that it is made of.

        :param publishing: its own snapshot, while that has to be made anew.
        """
        source_lists = lists_about(platform, sources)
        attempts = [each for state in sources for each in state.lists_of(platform)]
        attempts += [publishing] if publishing is not None else []
        self.failures = max((each.failures for each in attempts), default=0)
        self.failed = max(self.failed, sum(each.failed for each in attempts))
        self.error = next((each.error for each in attempts if each.error is not None), None)
        if self.error is None and sources and not source_lists and all(state.told for state in sources):
            self.error = NO_SOURCE
        given = self._given(source_lists, sources)
        if publishing is None and given is not None and self.held_back is not None:
            self.held_back = _later(self.held_back, given)
        elif publishing is None and given is not None and self.snapshot is not None:
            self.snapshot = _later(self.snapshot, given)

    def checked(self, platform: str, sources: Sequence[SourceState], now: float) -> float:
        """
        Tell when all of a list had been given by its sources that is made of them now.

        What was not given since was in the current list, when that was checked; unless another server has made it.

        :param now: seconds since the epoch.
        """
        source_lists = lists_about(platform, sources)
        given = self._given(source_lists, sources)
        before = self.snapshot.checked if self.snapshot is not None else None
        if given is None or before is None:
            return given or before or now
        return given if any(source_list.doubted for source_list in source_lists) else max(given, before)

    def _given(self, source_lists: Sequence[SourceList], sources: Sequence[SourceState]) -> float | None:
        """Tell when the sources gave what they give; ``None`` if one that has a part in it has not told that yet."""
        parts = self.snapshot.sources if self.snapshot is not None else {}
        is_told = all(state.told or state.source.name not in parts for state in sources)
        times = [source_list.checked for source_list in source_lists]
        return min(times) if times and all(times) and is_told else None


def _later(snapshot: Snapshot, checked: float) -> Snapshot:
    return evolve(snapshot, checked=checked) if checked > snapshot.checked else snapshot
