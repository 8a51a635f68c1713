"""
The schedule of scans: one at startup, then one per period plus a random delay, and sooner after a failed scan.

No failure of a scan ends the schedule. After an outage a host is scanned at the latest 15 minutes later, and at once if
it was its own network that was away; a fleet that boots together, or has lost its server, does not come all at once.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from datetime import timedelta

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from patches.service.backoff import LONGEST_PAUSE_SECONDS, Backoff
from patches.service.periodic import CoroutineService

log = Logger()

_FIRST_RETRY_SECONDS, _LEAST_PAUSE_SECONDS = 60.0, 1.0
#: The time between two scans because the network is there again, in seconds.
HURRY_SECONDS = 30.0


class ScanSchedule(CoroutineService):
    """
    A service that scans periodically.

    :param scan: scans once and returns whether the scan was complete.
    :param frequency: the time from the end of one scan to the start of the next one.
    :param most_jitter: the longest random delay that is added to each pause.
    :param jitter: returns a random number in [0, 1).
    :param splay: the delay of the first scan.
    """

    def __init__(
        self,
        scan: Callable[[], Awaitable[bool]],
        frequency: timedelta,
        most_jitter: timedelta,
        clock: IReactorTime,
        jitter: Callable[[], float] = random.random,
        splay: timedelta = timedelta(0),
    ) -> None:
        super().__init__()
        self._scan = scan
        self._frequency = frequency.total_seconds()
        self._most_jitter = most_jitter.total_seconds()
        self._clock = clock
        self._jitter = jitter
        self._splay = splay.total_seconds()
        self._hurried = float("-inf")
        self._failures = 0
        self._asked = False
        self._pausing: Deferred[None] | None = None

    def request_scan(self) -> None:
        """Start a scan now, or immediately after the scan that is in progress."""
        self._asked = True
        # cleared before it is cancelled: the cancellation resumes _wait at once, which may scan and pause again
        pausing, self._pausing = self._pausing, None
        if pausing is not None:
            pausing.cancel()

    def hurry(self) -> None:
        """End the pause after a failed scan, because its reason may be gone; at most every half minute."""
        now = self._clock.seconds()
        if self._failures and self._pausing is not None and now - self._hurried >= HURRY_SECONDS:
            self._hurried = now
            self.request_scan()

    async def _go_on(self) -> None:
        if self._splay:
            log.info("The first scan begins in {seconds:.0f} s", seconds=self._splay)
            await self._wait(self._splay)
        while self.running:
            self._asked = False
            try:
                complete = await self._scan()
            except CancelledError:
                raise
            except Exception:
                log.failure("A scan failed")
                complete = False
            if self.running:  # a cancelled scan may have ended as one that failed
                await self._wait(self._pause(complete))

    async def _wait(self, seconds: float) -> None:
        if self._asked:
            return
        self._pausing = deferLater(self._clock, seconds)
        try:
            await self._pausing
        except CancelledError:
            if not self._asked:
                raise  # not a request to scan, but stopService

    def _pause(self, complete: bool) -> float:
        self._failures = 0 if complete else self._failures + 1
        if complete:
            return self._frequency + self._jitter() * self._most_jitter
        longest = min(self._frequency, LONGEST_PAUSE_SECONDS)
        backoff = Backoff(min(_FIRST_RETRY_SECONDS, longest), longest, self._jitter, fixed=0)
        return backoff.pause(self._failures, _LEAST_PAUSE_SECONDS)
