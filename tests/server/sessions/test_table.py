"""Tests for :mod:`patches.server.sessions.table`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.server.errors import Denied, SessionExpired, UnknownSession
from patches.server.sessions.table import REMEMBERED, Limits, Session, SessionTable, State

LIMITS = Limits(max_active=2, max_queued=3, session_timeout=30, queue_timeout=60)


class TableCase(SynchronousTestCase):
    """A case with an empty table."""

    def setUp(self) -> None:
        self.table = SessionTable(LIMITS)

    def open(self, token: str, platform: str = "debian-12", now: float = 0.0) -> Session:
        """Open a session."""
        return self.table.open(token, platform, "r", 0, now)


class TableTests(TableCase):
    """The sessions of a table, with their states and queue positions."""

    def test_open(self) -> None:
        """A new session is queued behind earlier ones."""
        first, second = self.open("a"), self.open("b")
        self.assertEqual([s.state for s in self.table], [State.QUEUED] * 2)
        self.assertEqual([self.table.queue_position(s) for s in (first, second)], [0, 1])
        self.assertEqual(self.table.queue("debian-12"), [first, second])

    def test_platforms_apart(self) -> None:
        """Each platform has its own queue."""
        self.open("a")
        other = self.open("b", "alpine-3.20")
        self.assertEqual(self.table.queue_position(other), 0)
        self.assertEqual(self.table.queue("rocky-9"), [])

    def test_activate(self) -> None:
        """An active session is not in a queue, and its timeouts begin with the activation."""
        first, second = self.open("a"), self.open("b")
        self.table.activate(first, 50.0)
        self.assertEqual((first.state, first.seen, first.moved), (State.ACTIVE, 50.0, 50.0))
        self.assertIsNone(self.table.queue_position(first))
        self.assertEqual(self.table.queue_position(second), 0)

    def test_counts(self) -> None:
        """The number of sessions in each state is known at any time."""
        sessions = [self.open(token) for token in "abc"]
        self.table.activate(sessions[0], 0.0)
        self.table.activate(sessions[1], 0.0)
        self.table.complete(sessions[0], 0.0)
        self.assertEqual([self.table.count("debian-12", state) for state in State], [1, 1, 1])
        for session in sessions:
            self.table.remove(session)
        self.assertEqual([self.table.count("debian-12", state) for state in State], [0, 0, 0])
        self.assertEqual(len(self.table), 0)

    def test_queue_full(self) -> None:
        """A session that meets a full queue is denied; the queues of other platforms are not affected."""
        for token in "abc":
            self.open(token)
        denied = self.assertRaises(Denied, self.open, "d")
        self.assertEqual((denied.code, denied.retry_after), ("queue-full", 30))
        self.assertIsNone(self.table.find("d"))
        self.open("e", "alpine-3.20")

    def test_patience(self) -> None:
        """A denied client is asked to wait at least one second before it retries."""
        self.assertEqual(SessionTable(Limits(queue_timeout=0.5)).patience(), 1)


class EndingTests(TableCase):
    """Sessions that have ended, and the reasons."""

    def test_unknown(self) -> None:
        """A session that was never opened is unknown."""
        self.assertRaises(UnknownSession, self.table.get, "a")
        self.assertIsNone(self.table.find("a"))

    def test_reason(self) -> None:
        """The reason of a removal is reported to each request; without a reason the session is unknown."""
        self.table.remove(self.open("a"), "it was closed")
        self.table.remove(self.open("b"))
        for _ in range(2):
            self.assertEqual(str(self.assertRaises(SessionExpired, self.table.get, "a")), "it was closed")
        self.assertRaises(UnknownSession, self.table.get, "b")

    def test_comes_back(self) -> None:
        """A session that is opened again after its removal is found, and the reason is forgotten."""
        self.table.remove(self.open("a"), "it was closed")
        again = self.open("a")
        self.assertIs(self.table.get("a"), again)
        self.table.remove(again)
        self.assertRaises(UnknownSession, self.table.get, "a")

    def test_remembers_so_many(self) -> None:
        """Only the reasons of the latest removals are kept."""
        for number in range(REMEMBERED + 1):
            self.table.remove(self.open(str(number)), "gone")
        self.assertRaises(UnknownSession, self.table.get, "0")
        self.assertRaises(SessionExpired, self.table.get, "1")

    def test_expire(self) -> None:
        """A session that is silent beyond the timeout of its state is removed with a reason; a complete one without."""
        sessions = [self.open(token) for token in "abc"]
        self.table.activate(sessions[0], 0.0)
        self.table.activate(sessions[1], 0.0)
        self.table.complete(sessions[1], 0.0)
        self.assertEqual(self.table.expire(30.0), [])
        active, complete = self.table.expire(30.1)
        self.assertEqual((active[0], complete), (sessions[0], (sessions[1], "")))
        self.assertIn("active session was silent for more than 30 s", active[1])
        self.assertEqual(self.table.expire(60.0), [])
        self.assertIn("queued", self.table.expire(60.1)[0][1])
        self.assertEqual(len(self.table), 0)
        self.assertEqual(self.table.queue("debian-12"), [])
