"""Tests of windows, cohorts and sessions: requests out of order, lists without chunks, and the identity of sessions."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.server.budget import WINDOW, Budget
from patches.server.errors import OutOfOrder
from patches.server.sessions.chunk_response import MAX_RESPONSE_BYTES
from patches.server.sessions.cohorts import Cohorts
from patches.server.sessions.table import Session
from patches.server.sessions.window import Window
from tests.server.fake_catalogue import Shelf, snapshot


class OutOfTurnTests(SynchronousTestCase):
    """A reader that asks for a chunk out of order."""

    def test_nothing_is_served(self) -> None:
        """A chunk that was refused to a reader does not count as served to it once it is loaded for others."""
        shelf = Shelf(at_once=False)
        window = Window(4, 0, 4 * MAX_RESPONSE_BYTES, lambda number: shelf.load("r1", number))
        window.join("reader", 0)
        self.assertRaises(OutOfOrder, window.read, "reader", 1)
        for _ in range(2):
            shelf.give()
        self.assertEqual(window.next_position_of("reader"), 0)
        self.assertRaises(OutOfOrder, window.read, "reader", 1)
        chunk = self.successResultOf(window.read("reader", 0))
        self.assertEqual((chunk.number, window.next_position_of("reader")), (0, 1))


class EmptyTests(SynchronousTestCase):
    """A list without vulnerabilities."""

    def test_no_chunks(self) -> None:
        """A list without chunks gets a cohort with the smallest window, whose memory is released at the end."""
        budget = Budget(MAX_RESPONSE_BYTES)
        cohorts = Cohorts(budget, Shelf().load, 4 * MAX_RESPONSE_BYTES, 10.0)
        session = Session("t", "debian-12", "r1", 0, 0.0, 0.0)
        self.assertTrue(cohorts.admit(session, snapshot(0), 0.0))
        self.assertEqual(budget.used[WINDOW], MAX_RESPONSE_BYTES)
        cohorts.leave(session)
        self.assertEqual(budget.used[WINDOW], 0)


class SessionTests(SynchronousTestCase):
    """Sessions in sets and comparisons."""

    def test_identity(self) -> None:
        """A session is equal only to itself, and is hashable."""
        one, other = (Session("t", "debian-12", "r1", 0, 0.0, 0.0) for _ in range(2))
        self.assertNotEqual(one, other)
        self.assertEqual(len({one, other}), 2)
