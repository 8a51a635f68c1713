"""The window, its lanes and sessions: who asks out of turn, what has no chunks, and who is who."""

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
    """A reader that asks for a chunk that is not its turn."""

    def test_nothing_is_served(self) -> None:
        """It is not taken as served with a chunk that it was refused, when that is loaded for others."""
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
    """A list with nothing in it."""

    def test_no_chunks(self) -> None:
        """It gets a lane with the smallest window, and gives that back."""
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
        """A session is the same as itself alone, and can be in a set."""
        one, other = (Session("t", "debian-12", "r1", 0, 0.0, 0.0) for _ in range(2))
        self.assertNotEqual(one, other)
        self.assertEqual(len({one, other}), 2)
