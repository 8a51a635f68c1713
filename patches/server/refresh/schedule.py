"""What to keep fresh, how often, and from where if nothing that was configured has it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Protocol

from attrs import field, frozen

from patches.interfaces import ISource


@frozen
class Schedule:
    """
    When to refresh.

    :ivar interval: how old a snapshot's last check may be.
    :ivar platforms: what to serve; empty: whatever the sources have.
    :ivar intervals: of sources that have one of their own, by name.
    :ivar keep: for how long a list that was replaced is kept: for sessions that come back after a restart, and for the
        deltas to the next one.
    """

    interval: timedelta
    platforms: tuple[str, ...] = ()
    intervals: Mapping[str, timedelta] = field(factory=dict)
    keep: timedelta = timedelta(days=1)


class PublicSourceProvider(Protocol):
    """Public sources."""

    def has(self, platform: str) -> bool:
        """Tell whether there is one for platforms of this name; that it has this very one, only reading it tells."""

    def sources(self, platforms: Collection[str]) -> Mapping[str, ISource]:
        """
        Give the sources of these platforms, which read these and no others from now on.

        :return: by platform; a source that has several is there several times, and one that was given before again.
        """


class NoPublicSources:
    """Nobody is to be asked."""

    def has(self, platform: str) -> bool:
        """See :meth:`PublicSourceProvider.has`."""
        return False

    def sources(self, platforms: Collection[str]) -> Mapping[str, ISource]:
        """See :meth:`PublicSourceProvider.sources`."""
        return {}
