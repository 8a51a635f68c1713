"""Tests for :mod:`patches.http.turns`."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from patches.http.turns import SLICE_SECONDS, Turns


class Taker:
    """A connection whose requests take some time."""

    def __init__(self, turns: Turns, clock: Clock, requests: int, seconds: float) -> None:
        self.taken = 0
        self._turns, self._clock, self._requests, self._seconds = turns, clock, requests, seconds

    def take_turn(self) -> None:
        """Answer requests, until the connection has to wait."""
        while self.taken < self._requests:
            self.taken += 1
            self._clock.rightNow += self._seconds  # within an iteration of the reactor: nothing is called
            if not self._turns.may_go_on():
                self._turns.add(self)
                return


class TurnsTests(SynchronousTestCase):
    """Connections that share slices of time."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.turns = Turns(self.clock)

    def test_quick(self) -> None:
        """Requests that fit in a slice are answered at once, and nothing is scheduled for long."""
        taker = Taker(self.turns, self.clock, 10, 0.0)
        taker.take_turn()
        self.assertEqual((taker.taken, len(self.turns)), (10, 0))
        self.clock.advance(0)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_bounded(self) -> None:
        """An iteration takes a slice of time, and the last request of it, however many connections wait."""
        takers = [Taker(self.turns, self.clock, 10, SLICE_SECONDS / 4) for _ in range(30)]
        for taker in takers:
            taker.take_turn()
        while len(self.turns):
            began = self.clock.seconds()
            self.turns._run()  # what the reactor calls in its next iteration
            self.assertLessEqual(self.clock.seconds() - began, 1.5 * SLICE_SECONDS)
            taken = [taker.taken for taker in takers]
            if len(self.turns):
                self.assertLessEqual(max(taken[4:]) - min(taken[4:]), 1)
        self.assertEqual({taker.taken for taker in takers}, {10})

    def test_a_new_slice(self) -> None:
        """After an iteration without connections that wait, the next request begins a slice of its own."""
        for _ in range(3):
            self.assertTrue(self.turns.may_go_on())
            self.clock.advance(10)
