"""Tests for :mod:`patches.server.sessions.waiters`."""

from __future__ import annotations

import time

from twisted.internet.defer import CancelledError, ensureDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from patches.server.sessions.session import Session
from patches.server.sessions.waiters import WAKE_AT_ONCE, WAKE_SECONDS, Waiters
from tests.server.fake_catalogue import snapshot


class WaitersTests(SynchronousTestCase):
    """Requests that wait for one of two sessions."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.waiters = Waiters(self.clock)
        self.one, self.two = (Session(token, snapshot(), "", 0, 0.0, 0.0) for token in "ab")

    def turn(self) -> None:
        """Run what one turn of the reactor runs: not what is scheduled meanwhile."""
        for call in self.clock.getDelayedCalls():
            run = call.func
            call.cancel()
            run()

    def test_released_then_woken(self) -> None:
        """A request is woken by the next call of :meth:`Waiters.wake`, not before; those of other sessions wait on."""
        waiting, other = self.waiters.add(self.one), self.waiters.add(self.two)
        self.waiters.release([self.one])
        self.assertNoResult(waiting)
        self.waiters.wake()
        self.successResultOf(waiting)
        self.assertNoResult(other)
        self.assertEqual(len(self.waiters), 1)

    def test_fails(self) -> None:
        """With an error all requests of a session fail."""
        both = [self.waiters.add(self.one) for _ in range(2)]
        self.waiters.release([self.one], ValueError())
        self.waiters.wake()
        for waiting in both:
            self.failureResultOf(waiting, ValueError)

    def test_cancelled(self) -> None:
        """A cancelled request is forgotten, also if it was released; the others of its session wait on."""
        first, second, third = (self.waiters.add(self.one) for _ in range(3))
        first.cancel()
        self.failureResultOf(first, CancelledError)
        second.addBoth(lambda _: third.cancel())
        self.waiters.release([self.one])
        self.waiters.wake()
        self.successResultOf(second)
        self.failureResultOf(third, CancelledError)
        self.assertEqual(len(self.waiters), 0)

    def test_within(self) -> None:
        """A wait ends with the change, or when its time is over; without time it ends at once."""
        self.assertFalse(self.successResultOf(ensureDeferred(self.waiters.within(0, self.waiters.add(self.one)))))
        late = ensureDeferred(self.waiters.within(5, self.waiters.add(self.one)))
        self.clock.advance(5)
        self.assertFalse(self.successResultOf(late))
        self.assertEqual(len(self.waiters), 0)
        good = ensureDeferred(self.waiters.within(5, self.waiters.add(self.one)))
        self.waiters.release([self.one])
        self.waiters.wake()
        self.assertTrue(self.successResultOf(good))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_many(self) -> None:
        """Of many requests, some are woken in each turn of the reactor, in the order in which they came."""
        woken: list[int] = []
        crowd = [Session(str(number), snapshot(), "", 0, 0.0, 0.0) for number in range(5000)]
        for number, session in enumerate(crowd):
            self.waiters.add(session).addCallback(lambda _, number=number: woken.append(number))
        self.waiters.release(crowd)
        self.waiters.wake()
        turns = [len(woken)]
        while len(woken) < 5000:
            self.turn()
            turns.append(len(woken) - sum(turns))
        self.assertEqual(woken, list(range(5000)))
        self.assertEqual(max(turns), WAKE_AT_ONCE)

    def test_no_stall(self) -> None:
        """With a hundred microseconds of work for each of 5,000 requests, no turn of the reactor takes 10 ms."""

        def work(_: object) -> None:
            until = time.thread_time() + 100e-6
            while time.thread_time() < until:
                pass

        crowd = [Session(str(number), snapshot(), "", 0, 0.0, 0.0) for number in range(5000)]
        for session in crowd:
            self.waiters.add(session).addCallback(work)
        longest = 0.0
        self.waiters.release(crowd)
        while len(self.waiters) or not longest or self.clock.getDelayedCalls():
            began = time.thread_time()
            self.turn() if longest else self.waiters.wake()
            longest = max(longest, time.thread_time() - began)
        print(f"5,000 requests are woken; the longest turn takes {longest * 1000:.1f} ms")
        self.assertLess(longest, 0.010)

    def test_slow_work(self) -> None:
        """Requests whose work takes long are woken in several turns, even if they are few."""
        crowd = [Session(str(number), snapshot(), "", 0, 0.0, 0.0) for number in range(6)]
        woken: list[float] = []

        def work(_: object) -> None:
            woken.append(self.clock.seconds())
            self.clock.rightNow += 2 * WAKE_SECONDS  # time passes, but no turn of the reactor

        for session in crowd:
            self.waiters.add(session).addCallback(work)
        self.waiters.release(crowd)
        self.waiters.wake()
        self.assertEqual(len(woken), 1)
        while len(woken) < 6:
            before = len(woken)
            self.turn()
            self.assertEqual(len(woken), before + 1)

    def test_woken_by_another(self) -> None:
        """A request that is released while others are woken is woken after them, not inside of them."""
        order: list[str] = []

        def first(_: object) -> None:
            self.waiters.release([self.two])
            self.waiters.wake()
            order.append("first is done")

        self.waiters.add(self.one).addCallback(first)
        self.waiters.add(self.two).addCallback(lambda _: order.append("second"))
        self.waiters.release([self.one])
        self.waiters.wake()
        self.assertEqual(order, ["first is done", "second"])
