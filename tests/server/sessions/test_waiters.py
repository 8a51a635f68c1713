"""Tests for :mod:`patches.server.sessions.waiters`."""

from __future__ import annotations

from twisted.internet.defer import CancelledError
from twisted.trial.unittest import SynchronousTestCase

from patches.server.errors import SessionExpired
from patches.server.sessions.waiters import Waiters


class WaitingTests(SynchronousTestCase):
    """Requests that wait for one of two sessions."""

    def setUp(self) -> None:
        self.subject = Waiters()
        self.one, self.two, self.other = (self.subject.add(token) for token in ("a", "a", "b"))

    def test_fire(self) -> None:
        """All requests that wait for a session are resumed and forgotten; those of other sessions still wait."""
        self.subject.fire("a")
        self.successResultOf(self.one)
        self.successResultOf(self.two)
        self.assertNoResult(self.other)
        self.assertEqual(len(self.subject), 1)
        self.subject.fire("a")
        self.subject.fire("never there")

    def test_fail(self) -> None:
        """All requests that wait for a session fail with the given reason."""
        self.subject.fail("b", SessionExpired("silent"))
        self.assertEqual(str(self.failureResultOf(self.other, SessionExpired).value), "silent")
        self.assertNoResult(self.one)
        self.assertEqual(len(self.subject), 1)
        self.subject.fail("b", SessionExpired("silent"))

    def test_cancel(self) -> None:
        """A cancelled request is forgotten; the other requests of its session still wait."""
        self.one.cancel()
        self.failureResultOf(self.one, CancelledError)
        self.subject.fire("a")
        self.successResultOf(self.two)
        self.other.cancel()
        self.failureResultOf(self.other, CancelledError)
        self.assertEqual(len(self.subject), 0)

    def test_again(self) -> None:
        """A request that is resumed and at once waits again is resumed the next time."""
        again = []
        self.one.addCallback(lambda _: again.append(self.subject.add("a")))
        self.subject.fire("a")
        self.assertNoResult(again[0])
        self.subject.fire("a")
        self.successResultOf(again[0])
