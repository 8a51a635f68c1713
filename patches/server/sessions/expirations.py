"""The log of expired sessions: the first one of a minute in full, the others as one number."""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

log = Logger()

#: The time between two lines, in seconds.
SUMMARY_SECONDS = 60.0


class ExpirationLog:
    """The expired sessions since the last line: anybody can open thousands, and be silent."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._since = float("-inf")
        self._further = 0

    def note(self, platform: str, reason: str) -> None:
        """Note that a session has expired."""
        self.tick()
        if self._clock.seconds() - self._since < SUMMARY_SECONDS:
            self._further += 1
            return
        self._since = self._clock.seconds()
        log.info("A session of {platform} expired: {reason}", platform=platform, reason=reason)

    def tick(self) -> None:
        """Log the number of the others, once the minute is over."""
        if self._further and self._clock.seconds() - self._since >= SUMMARY_SECONDS:
            log.info("{count} more sessions expired within a minute", count=self._further)
            self._since, self._further = self._clock.seconds(), 0
