"""How long to go on trying: pauses that double, are jittered, and end."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

log = Logger()

_FIRST_SECONDS = 0.5
_LONGEST_SECONDS = 30.0


class OutOfPatience(Exception):
    """What was tried did not come about in time; its text is the last reason."""


class Patience:
    """
    Pauses between tries, until there was no progress for a while.

    :param limit: how long to go on without progress.
    :param jitter: gives a number in [0, 1).
    """

    def __init__(self, limit: timedelta, clock: IReactorTime, jitter: Callable[[], float] = random.random) -> None:
        self._limit = limit.total_seconds()
        self._clock = clock
        self._jitter = jitter
        self._since: float | None = None
        self._tries = 0

    def progress(self) -> None:
        """Note that something came of it: patience begins anew."""
        self._since, self._tries = None, 0

    async def pause(self, reason: str, at_least: float = 0.0) -> None:
        """
        Wait before the next try.

        :param reason: why the last one failed, or what is waited for.
        :param at_least: seconds that the other side asked for; up to half as many are added.
        :raises OutOfPatience: at once, if there is no time left.
        """
        now = self._clock.seconds()
        if self._since is None:
            self._since = now
        longest = min(_LONGEST_SECONDS, _FIRST_SECONDS * 2 ** min(self._tries, 20))
        seconds = at_least * (1 + self._jitter() / 2) if at_least else longest * (1 - self._jitter() / 2)
        if now + seconds - self._since > self._limit:
            raise OutOfPatience(reason)
        self._tries += 1
        log.info("Again in {seconds:.1f} s: {reason}", seconds=seconds, reason=reason)
        await deferLater(self._clock, seconds)
