"""Tests for :mod:`patches.service.clocks`."""

from __future__ import annotations

import time

from twisted.internet.base import ReactorBase
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from patches.service.clocks import LEAST_STEP, ClockSteps, SteadyTime, use_monotonic_time

_YEAR = 365 * 86_400.0


class PlainReactor(ReactorBase):
    """A reactor that waits for nothing."""

    def installWaker(self) -> None:
        """Install nothing."""


class OwnReactor(PlainReactor):
    """A reactor with a clock of its own."""

    def seconds(self) -> float:  # type: ignore[override]
        """Return a constant."""
        return 5.0


class MonotonicTests(SynchronousTestCase):
    """The clock of a reactor."""

    def test_steps(self) -> None:
        """When the time of day is set, what was scheduled is called as if nothing had happened."""
        reactor = PlainReactor()
        use_monotonic_time(reactor)
        before = time.monotonic()
        for day in (time.time() + 3.2e7, time.time() - 3.2e7):
            self.patch(time, "time", lambda day=day: day)
            call = reactor.callLater(60, lambda: None)
            self.assertTrue(before + 60 <= call.getTime() <= time.monotonic() + 60)
            self.assertTrue(55 < (reactor.timeout() or 0.0) <= 60)

    def test_own_clock(self) -> None:
        """A reactor with a clock of its own keeps it."""
        own, clock = OwnReactor(), Clock()
        for reactor in (own, clock):
            use_monotonic_time(reactor)
        self.assertEqual((own.seconds(), clock.seconds()), (5.0, 0.0))


class SteadyTimeTests(SynchronousTestCase):
    """Ages of things that are stamped."""

    def test_steady(self) -> None:
        """The time starts as the time of day, and is moved by the monotonic clock alone."""
        wall, monotonic = [1.7e9], [100.0]
        steady = SteadyTime(lambda: wall[0], lambda: monotonic[0])
        self.assertAlmostEqual(steady(), 1.7e9)
        wall[0] -= 3.2e7
        monotonic[0] += 60
        self.assertAlmostEqual(steady(), 1.7e9 + 60)


class ClockStepsTests(SynchronousTestCase):
    """The comparison of two clocks."""

    def test_steps(self) -> None:
        """A step is returned once; small changes are no step until they add up to one."""
        wall, steady = [1000.0], [990.0]
        steps = ClockSteps(lambda: wall[0], lambda: steady[0])
        wall[0], steady[0] = 5000.0, 4990.0
        self.assertEqual(steps.take(), 0.0)
        for step in (_YEAR, -3600.0, LEAST_STEP):
            wall[0] += step
            self.assertEqual((steps.take(), steps.take()), (step, 0.0))
        wall[0] -= 0.75 * LEAST_STEP
        self.assertEqual(steps.take(), 0.0)
        wall[0] -= 0.75 * LEAST_STEP
        self.assertEqual(steps.take(), -1.5 * LEAST_STEP)
