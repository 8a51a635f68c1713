"""
The clocks of a program: one that only moves forward, by which everything is scheduled, and the time of day.

The time of day may be set at any moment, by a person or by NTP: by an hour, or by years. So it only stamps what is
shown and kept, and judges the validity of certificates, tokens and lists. :class:`SteadyTime` tells the ages of what a
running daemon keeps.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from twisted.internet.base import ReactorBase

#: A change that is smaller is none: clocks are adjusted by a little all the time. In seconds.
LEAST_STEP = 60.0


def use_monotonic_time(reactor: Any) -> None:
    """
    Schedule the calls of a reactor by the monotonic clock, which no change of the time of day moves.

    Call it before anything is scheduled. A reactor that has a clock of its own keeps it: that of an event loop of
    asyncio is monotonic anyway, and that of a test stands still.
    """
    if isinstance(reactor, ReactorBase) and type(reactor).seconds is ReactorBase.seconds:
        reactor.seconds = time.monotonic


def seconds_since_boot() -> float:
    """Return the seconds since this machine started, those that it was suspended included (Linux, clock_gettime(2))."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class SteadyTime:
    """
    The time of day as it was when this object was created, continued by a clock that only moves forward.

    Call it for the time in seconds since the epoch. It compares the ages of things that are stamped, also by an earlier
    process, and does not jump when the time of day is set.
    """

    def __init__(
        self, wall: Callable[[], float] = time.time, elapsed: Callable[[], float] = seconds_since_boot
    ) -> None:
        self._ahead = wall() - elapsed()
        self._elapsed = elapsed

    def __call__(self) -> float:
        return self._ahead + self._elapsed()


class ClockSteps:
    """
    Detects that the time of day was set, by comparing it with the steady time.

    :param wall: returns the time in seconds since the epoch.
    :param steady: returns the time likewise; see :class:`SteadyTime`.
    """

    def __init__(self, wall: Callable[[], float], steady: Callable[[], float]) -> None:
        self._wall = wall
        self._steady = steady
        self._ahead = wall() - steady()

    def take(self) -> float:
        """Return by how many seconds the time of day was set since the last step that was returned; 0: by none."""
        ahead = self._wall() - self._steady()
        step = ahead - self._ahead
        if abs(step) < LEAST_STEP:
            return 0.0
        self._ahead = ahead
        return step
