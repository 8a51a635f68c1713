"""Tests for :mod:`patches.server.sessions.expiry`: the limits of silence, and of holding up others."""

from __future__ import annotations

from collections import Counter

from twisted.trial.unittest import SynchronousTestCase

from patches.server.budget import Budget
from patches.server.errors import SessionExpired, UnknownSession
from patches.server.sessions.chunk_response import MAX_RESPONSE_BYTES
from patches.server.sessions.cohorts import Cohorts
from patches.server.sessions.expiry import Expiry
from patches.server.sessions.table import Limits, Session, SessionTable
from tests.server.fake_catalogue import Shelf, snapshot


class ExpiryTests(SynchronousTestCase):
    """Active sessions may be silent for 30 s, queued ones for 60, and hold up others for 20."""

    def setUp(self) -> None:
        self.table = SessionTable(Limits(session_timeout=30, queue_timeout=60, chunk_timeout=20))
        self.cohorts = Cohorts(Budget(MAX_RESPONSE_BYTES), Shelf().load, MAX_RESPONSE_BYTES, 10.0)
        self.events: Counter[str] = Counter()
        self.gone: list[str] = []
        self.subject = Expiry(self.table, self.cohorts, self.events, self.leave)

    def leave(self, session: Session) -> None:
        """Record that a session has left."""
        self.gone.append(session.token)
        self.cohorts.leave(session)

    def open(self, token: str, active: bool = False) -> Session:
        """Open a session at second 0."""
        session = self.table.open(token, "debian-12", "r1", 0, 0.0)
        if active:
            self.assertTrue(self.cohorts.admit(session, snapshot(), 0.0))
            self.table.activate(session, 0.0)
        return session

    def reason(self, token: str) -> str:
        """Return the reason for which a session has ended."""
        return str(self.assertRaises(SessionExpired, self.table.get, token))

    def test_silent(self) -> None:
        """A session expires after its timeout, not exactly at it, and the reason is recorded."""
        for active, seconds in ((True, 30.0), (False, 60.0)):
            self.setUp()
            self.open("a", active)
            self.subject.tick(seconds)
            self.assertEqual((self.gone, self.events["expired"]), ([], 0))
            self.subject.tick(seconds + 0.1)
            self.assertEqual((self.gone, self.events["expired"]), (["a"], 1))
            self.assertIn(f"silent for more than {seconds:g} s", self.reason("a"))

    def test_complete(self) -> None:
        """A complete session is removed without a reason, and is not counted as expired."""
        session = self.open("a", active=True)
        self.table.complete(session, 0.0)
        self.subject.tick(30.1)
        self.assertEqual((self.gone, self.events["expired"]), (["a"], 0))
        self.assertRaises(UnknownSession, self.table.get, "a")

    def test_holds_up(self) -> None:
        """A session that holds up others for too long expires even if it is not silent; alone it never does."""
        first = self.open("a", active=True)
        self.subject.tick(10.0)
        first.seen = 100.0
        self.subject.tick(100.0)
        self.assertEqual(self.gone, [])
        second = self.open("b")
        second.seen = 100.0
        self.subject.tick(100.0)
        self.assertEqual(self.gone, ["a"])
        self.assertIn("chunk 0 was not consumed within 20 s", self.reason("a"))
        self.assertEqual(self.events["expired"], 1)

    def test_limit_of_holding_up(self) -> None:
        """A session that holds up others expires after its timeout, not exactly at it."""
        self.open("a", active=True)
        self.open("b")
        for seconds, expected in ((20.0, []), (20.1, ["a"])):
            self.subject.tick(seconds)
            self.assertEqual(self.gone, expected)
