"""Tests for :mod:`patches.scanner.client.patience`."""

from __future__ import annotations

from datetime import timedelta

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.client.patience import OutOfPatience, Patience


class PatienceTests(SynchronousTestCase):
    """Pauses without progress, within a limit of one minute."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.jitter = 0.0
        self.subject = Patience(timedelta(seconds=60), self.clock, lambda: self.jitter)

    def pause(self, at_least: float = 0.0) -> Deferred[None]:
        """Start a pause."""
        return ensureDeferred(self.subject.pause("it is away", at_least))

    def waited(self, at_least: float = 0.0) -> float:
        """Wait until the pause ends. Return its length in seconds."""
        before, pausing = self.clock.seconds(), self.pause(at_least)
        [call] = self.clock.getDelayedCalls()
        self.assertNoResult(pausing)
        self.clock.advance(call.getTime() - before)
        self.successResultOf(pausing)
        return self.clock.seconds() - before

    def test_doubles(self) -> None:
        """The pause doubles from half a second, until there is no time left for the next one."""
        self.assertEqual([self.waited() for _ in range(6)], [0.5, 1, 2, 4, 8, 16])
        error = self.failureResultOf(self.pause(), OutOfPatience).value
        self.assertEqual((str(error), self.clock.getDelayedCalls()), ("it is away", []))

    def test_longest(self) -> None:
        """No pause is longer than half a minute."""
        self.subject = Patience(timedelta(days=9), self.clock, lambda: 0.0)
        self.assertEqual([self.waited() for _ in range(9)][5:], [16, 30, 30, 30])

    def test_jitter(self) -> None:
        """A pause is up to a half shorter; one that the server asked for is up to a half longer, never shorter."""
        self.jitter = 1.0
        self.assertEqual([self.waited(), self.waited(), self.waited(10.0)], [0.25, 0.5, 15.0])
        self.jitter = 0.0
        self.assertEqual(self.waited(10.0), 10.0)

    def test_limit(self) -> None:
        """A pause that ends exactly at the limit is waited for; one that would end later is not started."""
        self.assertEqual(self.waited(60.0), 60.0)
        self.failureResultOf(self.pause(), OutOfPatience)
        self.subject.progress()
        self.failureResultOf(self.pause(60.1), OutOfPatience)

    def test_progress(self) -> None:
        """After progress the pauses are short again, and the time limit starts again."""
        for _ in range(6):
            self.waited()
        self.subject.progress()
        self.assertEqual([self.waited() for _ in range(6)], [0.5, 1, 2, 4, 8, 16])
