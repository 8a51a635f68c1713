"""The schedule of the refresh, its clocks, and the provider of public sources that no configured source replaces."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from typing import Protocol

from attrs import define, field, frozen
from twisted.internet.interfaces import IReactorTime

from patches.interfaces import ISource, Run


@frozen
class Schedule:
    """
    The schedule of the refresh.

    :ivar interval: the highest age of a snapshot's last check.
    :ivar platforms: the platforms to serve; empty: all that the sources have.
    :ivar intervals: the intervals of sources that have their own, by name.
    :ivar keep: the time for which a replaced list is kept: for sessions that are resumed after a restart, and for the
        deltas to the next list.
    :ivar parallel: the number of sources whose lists are read side by side.
    :ivar jitter: returns a number in [0, 1), by which pauses after failures are shortened.
    """

    interval: timedelta
    platforms: tuple[str, ...] = ()
    intervals: Mapping[str, timedelta] = field(factory=dict)
    keep: timedelta = timedelta(days=1)
    parallel: int = 2
    jitter: Callable[[], float] = random.random

    def interval_of(self, source: str) -> timedelta:
        """Return the interval of a source."""
        return self.intervals.get(source, self.interval)


def _always() -> bool:
    return True


@define(eq=False)
class RefreshContext:
    """
    The dependencies that all parts of the refresh share.

    :ivar run: runs what blocks.
    :ivar wall: returns the time in seconds since the epoch.
    :ivar leads: returns whether this server is the one that refreshes.
    :ivar steady: returns the time likewise, for the ages of what is kept; see :class:`.SteadyTime`.
    """

    schedule: Schedule
    run: Run
    clock: IReactorTime
    wall: Callable[[], float]
    leads: Callable[[], bool] = _always
    steady: Callable[[], float] = field()
    read: Run = field()

    @steady.default
    def _wall(self) -> Callable[[], float]:
        return self.wall

    @read.default
    def _run(self) -> Run:
        return self.run


class PublicSourceProvider(Protocol):
    """A provider of public sources."""

    def has(self, platform: str) -> bool:
        """
        Return whether there is a public source for a platform name; whether it has this release is known once it is
        read.
        """

    def sources(self, platforms: Collection[str]) -> Mapping[str, ISource]:
        """
        Return the sources of these platforms, which read only these from now on.

        :return: by platform; a source of several platforms occurs several times, and the same object is returned again.
        """

    def enriching(self) -> Sequence[ISource]:
        """Return the sources about all platforms that are read with those; the same objects each time."""


class NoPublicSources:
    """The provider of a server without public sources."""

    def has(self, platform: str) -> bool:
        """See :meth:`PublicSourceProvider.has`."""
        return False

    def sources(self, platforms: Collection[str]) -> Mapping[str, ISource]:
        """See :meth:`PublicSourceProvider.sources`."""
        return {}

    def enriching(self) -> Sequence[ISource]:
        """See :meth:`PublicSourceProvider.enriching`."""
        return ()
