"""Pauses between the tries of a client, limited by the time without progress."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from patches.service.backoff import Backoff

log = Logger()

_FIRST_SECONDS = 0.5
_LONGEST_SECONDS = 30.0
_ENDLESS_SECONDS = 1e9
#: How often the same reason is logged, in seconds.
TOLD_SECONDS = 60.0
#: The shortest and the longest pause that a server can ask for.
SHORTEST_ASKED, LONGEST_ASKED = 0.2, 60.0


def seconds_asked(value: object) -> float | None:
    """
    Return the pause that a document asks for, in seconds, within its limits.

    :return: ``None`` for what is not a number of seconds: text, a boolean, NaN, infinity, or a negative number.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0 or not value < _ENDLESS_SECONDS:
        return None
    return min(max(float(value), SHORTEST_ASKED), LONGEST_ASKED)


class OutOfPatience(Exception):
    """There was no progress within the time limit; the text is the reason of the last failure."""


class Patience:
    """
    Pauses between tries, until there was no progress for a given time.

    :param limit: the longest time without progress.
    :param jitter: returns a random number in [0, 1), so that scanners do not retry at the same moment.
    :param tell: called with the reason of a pause, as often as it is logged.
    """

    def __init__(
        self,
        limit: timedelta,
        clock: IReactorTime,
        jitter: Callable[[], float] = random.random,
        tell: Callable[[str], object] = lambda reason: None,
    ) -> None:
        self._tell = tell
        self._limit = limit.total_seconds()
        self._clock = clock
        self._backoff = Backoff(_FIRST_SECONDS, _LONGEST_SECONDS, jitter)
        self._since: float | None = None
        self._tries = 0
        self._told, self._told_at = "", 0.0

    def progress(self) -> None:
        """Note progress: restart the time limit and the pauses."""
        self._since, self._tries = None, 0

    async def pause(self, reason: str, at_least: float = 0.0) -> None:
        """
        Wait before the next try.

        :param reason: why the last try failed, or what the client waits for.
        :param at_least: the seconds that the server asked for; up to half as many are added, and it is never less than
            0.2 s nor more than 60 s.
        :raises OutOfPatience: immediately, if the pause would end after the time limit.
        """
        now = self._clock.seconds()
        if self._since is None:
            self._since = now
        seconds = self._backoff.spread(at_least) if at_least else self._backoff.pause(self._tries + 1)
        if now + seconds - self._since > self._limit:
            raise OutOfPatience(reason)
        if at_least:
            seconds = min(max(seconds, SHORTEST_ASKED), LONGEST_ASKED)
        self._tries += 1
        if reason != self._told or now - self._told_at >= TOLD_SECONDS:
            self._told, self._told_at = reason, now
            log.info("Retrying in {seconds:.1f} s: {reason}", seconds=seconds, reason=reason)
            self._tell(reason)
        await deferLater(self._clock, seconds)
