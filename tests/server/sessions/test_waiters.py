"""Tests for :mod:`patches.server.sessions.waiters`."""

from __future__ import annotations

from twisted.internet.defer import CancelledError
from twisted.trial.unittest import SynchronousTestCase

from patches.server.errors import SessionExpired
from patches.server.sessions.waiters import Waiters


class WaitingTests(SynchronousTestCase):
    """Those who wait for two sessions."""

    def setUp(self) -> None:
        self.subject = Waiters()
        self.one, self.two, self.other = (self.subject.add(token) for token in ("a", "a", "b"))

    def test_fire(self) -> None:
        """All who wait for a session go on, nobody else does, and nothing is left of them."""
        self.subject.fire("a")
        self.successResultOf(self.one)
        self.successResultOf(self.two)
        self.assertNoResult(self.other)
        self.assertEqual(len(self.subject), 1)
        self.subject.fire("a")
        self.subject.fire("never there")

    def test_fail(self) -> None:
        """All who wait in vain are told why."""
        self.subject.fail("b", SessionExpired("silent"))
        self.assertEqual(str(self.failureResultOf(self.other, SessionExpired).value), "silent")
        self.assertNoResult(self.one)
        self.assertEqual(len(self.subject), 1)
        self.subject.fail("b", SessionExpired("silent"))

    def test_cancel(self) -> None:
        """Who waits no longer is forgotten, and others of the session are not."""
        self.one.cancel()
        self.failureResultOf(self.one, CancelledError)
        self.subject.fire("a")
        self.successResultOf(self.two)
        self.other.cancel()
        self.failureResultOf(self.other, CancelledError)
        self.assertEqual(len(self.subject), 0)

    def test_again(self) -> None:
        """Who is let go on and waits again at once waits for the next time."""
        again = []
        self.one.addCallback(lambda _: again.append(self.subject.add("a")))
        self.subject.fire("a")
        self.assertNoResult(again[0])
        self.subject.fire("a")
        self.successResultOf(again[0])
