"""Scans come at once and then by schedule, whatever becomes of them."""

from __future__ import annotations

from datetime import timedelta

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.schedule import ScanSchedule


class ScheduleTests(SynchronousTestCase):
    """A schedule of an hour, with up to ten minutes of jitter, half of which it takes."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.times: list[float] = []
        self.results: list[bool | Exception | Deferred[bool]] = []

    async def scan(self) -> bool:
        """Do as the next result says."""
        self.times.append(self.clock.seconds())
        result = self.results.pop(0) if self.results else True
        if isinstance(result, Exception):
            raise result
        return await result if isinstance(result, Deferred) else result

    def schedule(self, jitter: float = 0.5) -> ScanSchedule:
        """Start one."""
        hour, ten_minutes = timedelta(hours=1), timedelta(minutes=10)
        schedule = ScanSchedule(self.scan, hour, ten_minutes, self.clock, jitter=lambda: jitter)
        schedule.startService()
        return schedule

    def test_at_once_and_again(self) -> None:
        """The first scan is at the start; each further one a pause with jitter later."""
        self.schedule()
        self.clock.pump([60] * 140)
        self.assertEqual(self.times, [0, 3900, 7800])

    def test_pause_is_between(self) -> None:
        """The pause begins when a scan ends: scans never overlap."""
        slow: Deferred[bool] = Deferred()
        self.results = [slow]
        self.schedule(jitter=0.0)
        self.clock.advance(5000)
        self.assertEqual(self.times, [0])
        slow.callback(True)
        self.clock.advance(3600)
        self.assertEqual(self.times, [0, 8600])

    def test_incomplete(self) -> None:
        """After an incomplete scan the next one is soon, and later each time, until one is complete."""
        self.results = [False, False, True]
        self.schedule(jitter=0.0)
        self.clock.pump([10] * 400)
        self.assertEqual(self.times, [0, 60, 180, 3780])

    def test_errors(self) -> None:
        """No error ends the schedule; each is logged."""
        self.results = [RuntimeError("a bug"), ValueError("another")]
        self.schedule(jitter=0.0)
        self.clock.pump([10] * 20)
        self.assertEqual(self.times, [0, 60, 180])
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError, ValueError)), 2)

    def test_incomplete_for_days(self) -> None:
        """A server that is away for days is still asked at least once in each period."""
        self.results = [False] * 50
        self.schedule(jitter=0.0)
        self.clock.pump([600] * 400)
        pauses = [later - earlier for earlier, later in zip(self.times, self.times[1:], strict=False)]
        self.assertLessEqual(max(pauses), 3600)

    def test_soon(self) -> None:
        """A pause ends when there is reason to scan now; the schedule goes on from there."""
        schedule = self.schedule(jitter=0.0)
        self.clock.advance(100)
        schedule.request_scan()
        self.clock.pump([60] * 61)
        self.assertEqual(self.times, [0, 100, 3700])

    def test_soon_in_a_scan(self) -> None:
        """A reason that comes up during a scan is good for one more, when that is done."""
        slow: Deferred[bool] = Deferred()
        self.results = [slow]
        schedule = self.schedule(jitter=0.0)
        schedule.request_scan()
        schedule.request_scan()
        self.clock.advance(50)
        slow.callback(True)
        self.clock.pump([60] * 59)
        self.assertEqual(self.times, [0, 50])
        self.successResultOf(schedule.stopService())

    def test_stop(self) -> None:
        """Stopping gives up the scan that is under way, and makes no other."""
        cancelled = []
        self.results = [Deferred(cancelled.append)]
        schedule = self.schedule()
        self.successResultOf(schedule.stopService())
        self.clock.pump([600] * 20)
        self.assertEqual((len(cancelled), self.times), (1, [0]))
        self.assertEqual(self.flushLoggedErrors(CancelledError), [])
