"""Scans run at startup and then on schedule, whatever their results are."""

from __future__ import annotations

from datetime import timedelta

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.schedule import ScanSchedule


class ScheduleTests(SynchronousTestCase):
    """A schedule of an hour with a jitter of up to ten minutes, of which it uses half."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.times: list[float] = []
        self.results: list[bool | Exception | Deferred[bool]] = []

    async def scan(self) -> bool:
        """Return or raise the next scripted result."""
        self.times.append(self.clock.seconds())
        result = self.results.pop(0) if self.results else True
        if isinstance(result, Exception):
            raise result
        return await result if isinstance(result, Deferred) else result

    def schedule(self, jitter: float = 0.5, splay: float = 0.0) -> ScanSchedule:
        """Start a schedule."""
        hour, ten_minutes = timedelta(hours=1), timedelta(minutes=10)
        first = timedelta(seconds=splay)
        schedule = ScanSchedule(self.scan, hour, ten_minutes, self.clock, jitter=lambda: jitter, splay=first)
        schedule.startService()
        return schedule

    def test_at_once_and_again(self) -> None:
        """The first scan is at startup; each further one follows after a pause with jitter."""
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
        """No error ends the schedule, and each error is logged."""
        self.results = [RuntimeError("a bug"), ValueError("another")]
        self.schedule(jitter=0.0)
        self.clock.pump([10] * 20)
        self.assertEqual(self.times, [0, 60, 180])
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError, ValueError)), 2)

    def test_incomplete_for_days(self) -> None:
        """A server that is away for days is tried at least every quarter of an hour."""
        self.results = [False] * 500
        self.schedule(jitter=0.0)
        self.clock.pump([60] * 4000)
        pauses = [later - earlier for earlier, later in zip(self.times, self.times[1:], strict=False)]
        self.assertEqual(max(pauses), 900)

    def test_full_jitter(self) -> None:
        """After a failure a scanner waits anything up to the longest pause, but a second."""
        self.results = [False] * 2
        self.schedule(jitter=0.9999)
        self.clock.pump([0.5] * 3)
        self.assertEqual(self.times, [0, 1])

    def test_splay(self) -> None:
        """The first scan waits for its delay, or for a request."""
        schedule = self.schedule(splay=40)
        self.clock.pump([10] * 5)
        self.assertEqual(self.times, [40])
        self.successResultOf(schedule.stopService())
        schedule = self.schedule(splay=40)
        schedule.request_scan()
        self.assertEqual(self.times, [40, 50])
        self.successResultOf(schedule.stopService())
        self.successResultOf(self.schedule(splay=40).stopService())
        self.assertEqual(len(self.clock.getDelayedCalls()), 0)

    def test_hurry(self) -> None:
        """A pause after a failed scan, and no other, ends when the network is back; at most every half minute."""
        self.results = [True, False, False, False]
        schedule = self.schedule(jitter=0.0)
        self.clock.advance(10)
        schedule.hurry()
        self.clock.advance(3590)
        self.assertEqual(self.times, [0, 3600])
        self.clock.advance(5)
        for _ in range(3):
            schedule.hurry()
        self.clock.advance(20)
        schedule.hurry()
        self.assertEqual(self.times, [0, 3600, 3605])
        self.clock.advance(10)
        schedule.hurry()
        self.assertEqual(self.times, [0, 3600, 3605, 3635])

    def test_soon(self) -> None:
        """A pause ends if a scan is requested; the schedule continues from there."""
        schedule = self.schedule(jitter=0.0)
        self.clock.advance(100)
        schedule.request_scan()
        self.clock.pump([60] * 61)
        self.assertEqual(self.times, [0, 100, 3700])

    def test_soon_in_a_scan(self) -> None:
        """A request during a scan results in one more scan after it."""
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
        """Stopping cancels the scan that is in progress, and starts no other."""
        cancelled = []
        self.results = [Deferred(cancelled.append)]
        schedule = self.schedule()
        self.successResultOf(schedule.stopService())
        self.clock.pump([600] * 20)
        self.assertEqual((len(cancelled), self.times), (1, [0]))
        self.assertEqual(self.flushLoggedErrors(CancelledError), [])

    def test_stop_as_failure(self) -> None:
        """Stopping ends at once, also if the cancelled scan reports a failure of its request in place of that."""
        for result in (lambda waiting: waiting.callback(False), lambda waiting: waiting.errback(ConnectionError())):
            self.times, self.results = [], [Deferred(result)]
            schedule = self.schedule()
            self.successResultOf(schedule.stopService())
            self.clock.pump([600] * 20)
            self.assertEqual(len(self.times), 1)
        self.assertEqual(len(self.flushLoggedErrors(ConnectionError)), 1)
