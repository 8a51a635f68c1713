"""What to keep fresh, how often, and from where if nothing that was configured has it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

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


#: Gives a public source that has a platform, or ``None``; one that was given before may be given again.
Public = Callable[[str], ISource | None]
