"""Tests for :mod:`patches.server.sessions.table`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.server.errors import Denied, SessionExpired, UnknownSession
from patches.server.sessions.session import Session
from patches.server.sessions.states import SessionStep, State
from patches.server.sessions.table import REMEMBERED, SessionTable
from tests.server.fake_catalogue import snapshot


class TableTests(SynchronousTestCase):
    """A table of sessions."""

    def setUp(self) -> None:
        self.table = SessionTable()

    def add(self, token: str, platform: str = "debian-12") -> Session:
        """Add a session."""
        session = Session(token, snapshot(4, platform, platform), "", 0, 0.0, 0.0)
        self.table.add(session)
        return session

    def test_counts(self) -> None:
        """The number of sessions of a platform in each state is known at any time."""
        first, _, _ = self.add("a"), self.add("b"), self.add("c", "alpine-3.20")
        self.table.take_step(first, SessionStep.ADMITTED)
        self.assertEqual([self.table.count("debian-12", state) for state in State][:3], [1, 1, 0])
        self.table.take_step(first, SessionStep.FINISHED)
        self.table.take_step(first, SessionStep.SILENT)
        self.assertEqual([self.table.count("debian-12", state) for state in State], [1, 0, 0, 0, 0, 0])
        self.assertEqual(self.table.count("alpine-3.20", State.QUEUED), 1)

    def test_reason(self) -> None:
        """The reason of an end is told to each request, without the traces of those before; else it is unknown."""
        for ending, expected in ((SessionExpired("silent"), SessionExpired), (None, UnknownSession)):
            session = self.add("a")
            self.table.remove(session, ending)
            for _ in range(3):
                error = self.assertRaises(expected, self.table.get, "a")
                trace, depth = error.__traceback__, 0
                while trace is not None:
                    trace, depth = trace.tb_next, depth + 1
                self.assertLess(depth, 10)

    def test_comes_back(self) -> None:
        """A session that is added again is found, and the reason is forgotten."""
        self.table.remove(self.add("a"), SessionExpired("silent"))
        again = self.add("a")
        self.assertIs(self.table.get("a"), again)
        self.table.remove(again, None)
        self.assertRaises(UnknownSession, self.table.get, "a")

    def test_remembers_so_many(self) -> None:
        """Only the reasons of the latest ends are kept."""
        for number in range(REMEMBERED + 1):
            self.table.remove(self.add(str(number)), SessionExpired("silent"))
        self.assertRaises(UnknownSession, self.table.get, "0")
        self.assertRaises(SessionExpired, self.table.get, "1")

    def test_stopping(self) -> None:
        """While the server stops, a session that is gone is told so."""
        self.table.stopping = Denied("stopping", "the server is stopping", 1)
        self.assertRaises(Denied, self.table.get, "a")
