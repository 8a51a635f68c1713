"""An even pace: turns that come at a fixed distance, however they are asked for."""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater


class Pace:
    """Turns, evenly spaced and first come, first served."""

    def __init__(self, clock: IReactorTime, rate: float | None) -> None:
        """
        Start with a turn that is free at once.

        :param rate: turns a second; ``None``: as many as are asked for.
        """
        if rate is not None and rate <= 0:
            raise ValueError(f"a rate is a positive number of requests a second, not {rate:g}")
        self._clock = clock
        self._distance = 1 / rate if rate is not None else 0.0
        self._next = 0.0

    async def turn(self) -> None:
        """Wait for the next turn."""
        if not self._distance:
            return
        now = self._clock.seconds()
        at = max(now, self._next)
        self._next = at + self._distance
        if at > now:
            await deferLater(self._clock, at - now)
