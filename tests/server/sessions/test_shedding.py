"""Tests for :meth:`.SessionService.shed`: sessions that end while memory is short."""

from __future__ import annotations

from patches.server.budget import SESSION_BYTES, SESSIONS
from patches.server.errors import Denied, SessionExpired
from patches.server.sessions.states import State
from tests.server.session_case import ReadingCase


class SheddingTests(ReadingCase):
    """Three active sessions, and queued ones behind them."""

    def test_queued(self) -> None:
        """The youngest queued sessions end first, denied, with a time to come back; requests that wait are answered."""
        sessions = [self.open() for _ in range(6)]
        waiting = self.active(sessions[5])
        self.assertEqual(self.service.shed(State.QUEUED, 2), 2)
        denied = self.failureResultOf(waiting, Denied).value
        self.assertEqual((denied.code, denied.retry_after), ("memory-limit", 15))
        self.assertEqual([each.state for each in sessions], [State.ACTIVE] * 3 + [State.QUEUED] + [State.DENIED] * 2)
        self.assertEqual(self.budget.used[SESSIONS], 4 * SESSION_BYTES)
        self.assertEqual(self.service.shed(State.QUEUED, 10), 1)

    def test_active(self) -> None:
        """The slowest active sessions end first; the next in the queue take their places; they may resume."""
        slow, quick, quickest = (self.open() for _ in range(3))
        self.clock.advance(1)
        self.read(quick, 0, 1)
        self.read(quickest, 0, 1)
        self.read(slow, 0)
        queued = self.open()
        self.assertEqual(self.service.shed(State.ACTIVE, 1), 1)
        self.assertEqual([each.state for each in (slow, quick, quickest)], [State.EXPIRED, State.ACTIVE, State.ACTIVE])
        self.assertRaisesRegex(SessionExpired, "short of memory.*resume", self.service.touch, slow.token)
        self.assertIs(queued.state, State.ACTIVE)
        resumed = self.service.resume(slow.token, self.debian, 0)
        self.assertIsNot(resumed, slow)
        self.assertEqual((self.service.events["shed"], self.service.events["expired"]), (1, 0))

    def test_none(self) -> None:
        """Complete sessions are no burden, and stay."""
        session = self.open()
        self.read_all(session)
        self.assertEqual((self.service.shed(State.ACTIVE, 9), self.service.shed(State.QUEUED, 9)), (0, 0))
        self.assertIs(session.state, State.COMPLETE)
