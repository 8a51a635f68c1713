"""
The schedule of scans: one at startup, then one per period plus a random delay, and sooner after a failed scan.

No failure of a scan ends the schedule.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from datetime import timedelta

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from patches.service.backoff import Backoff

log = Logger()

_FIRST_RETRY_SECONDS = 60.0


class ScanSchedule(Service):
    """
    A service that scans periodically.

    :param scan: scans once and returns whether the scan was complete.
    :param frequency: the time from the end of one scan to the start of the next one.
    :param most_jitter: the longest random delay that is added to each pause.
    :param jitter: returns a random number in [0, 1).
    """

    def __init__(
        self,
        scan: Callable[[], Awaitable[bool]],
        frequency: timedelta,
        most_jitter: timedelta,
        clock: IReactorTime,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._scan = scan
        self._frequency = frequency.total_seconds()
        self._most_jitter = most_jitter.total_seconds()
        self._clock = clock
        self._jitter = jitter
        self._failures = 0
        self._going: Deferred[None] = succeed(None)
        self._asked = False
        self._pausing: Deferred[None] | None = None

    def startService(self) -> None:
        """Start the first scan immediately."""
        super().startService()
        self._going = Deferred.fromCoroutine(self._go_on())

    def stopService(self) -> Deferred[None]:
        """Stop the schedule and cancel a scan that is in progress."""
        super().stopService()
        # swapped before it is cancelled: cancelling resumes the coroutine at once, and a second stop must find it gone
        going, self._going = self._going, succeed(None)
        going.cancel()
        return going.addErrback(lambda failure: failure.trap(CancelledError) and None)

    def request_scan(self) -> None:
        """Start a scan now, or immediately after the scan that is in progress."""
        self._asked = True
        # cleared before it is cancelled: the cancellation resumes _wait at once, which may scan and pause again
        pausing, self._pausing = self._pausing, None
        if pausing is not None:
            pausing.cancel()

    async def _go_on(self) -> None:
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
        return Backoff(_FIRST_RETRY_SECONDS, self._frequency, self._jitter).pause(self._failures)
