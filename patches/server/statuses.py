"""What is known of each platform's list: what is current, and what is wrong."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, evolve

from patches.server.feeds import Attempts, SourceState
from patches.server.snapshot import Snapshot

NO_SOURCE = "no source has a list of it"


@define(eq=False)
class ListStatus:
    """
    What is known of one platform's list.

    :ivar failures: how often what it needs failed since it last succeeded.
    :ivar failed: how often that failed in all.
    :ivar error: why it failed last; ``None`` after a success.
    :ivar alarm: why a newer list is held back; ``None`` if none is.
    """

    snapshot: Snapshot | None = None
    failures: int = 0
    failed: int = 0
    error: str | None = None
    alarm: str | None = None

    def take_up(self, snapshot: Snapshot, leads: bool, sources: Sequence[SourceState]) -> None:
        """
        Note what the catalogue has as current; when it was checked, too, unless sources here tell that.

        :param leads: whether this server refreshes it; else whatever it knew of sources is of no account any more.
        """
        if self.snapshot is None or self.snapshot.revision != snapshot.revision:
            self.snapshot, self.alarm = snapshot, None
        elif not leads:
            self.snapshot, self.alarm, self.error, self.failures = snapshot, None, None, 0
        elif not any(snapshot.platform in feed.platforms for state in sources for feed in state.feeds.values()):
            self.snapshot = snapshot

    def sum_up(self, platform: str, sources: Sequence[SourceState], publishing: Attempts | None) -> None:
        """
        Take over what is true of the lists that it is made of.

        :param publishing: its own snapshot, while that has to be made anew.
        """
        feeds = [feed for state in sources for feed in state.feeds.values() if platform in feed.platforms]
        attempts = [each for state in sources for each in state.concerning(platform)]
        attempts += [publishing] if publishing is not None else []
        self.failures = max((each.failures for each in attempts), default=0)
        self.failed = max(self.failed, sum(each.failed for each in attempts))
        self.error = next((each.error for each in attempts if each.error is not None), None)
        if self.error is None and sources and not feeds and all(state.told for state in sources):
            self.error = NO_SOURCE
        if self.snapshot is not None and feeds and all(feed.checked for feed in feeds):
            self.snapshot = evolve(self.snapshot, checked=min(feed.checked for feed in feeds))
