"""Tests for :mod:`patches.server.sessions.cohorts`: who gets the memory for a lane."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.server.budget import WINDOW, Budget
from patches.server.sessions.chunk_response import LARGEST_LOADED
from patches.server.sessions.cohorts import Lanes
from patches.server.sessions.table import Session
from tests.server.fake_catalogue import Shelf, snapshot


class LanesTests(SynchronousTestCase):
    """Lanes where there is memory for one."""

    def setUp(self) -> None:
        self.budget = Budget(LARGEST_LOADED)
        self.lanes = Lanes(self.budget, Shelf().load, LARGEST_LOADED, 10.0)
        self.sessions = {name: Session(name, name, name, 0, 0.0, 0.0) for name in "abc"}

    def admit(self, name: str) -> bool:
        """Admit the session of a snapshot."""
        return self.lanes.admit(self.sessions[name], snapshot(4, name, name), 0.0)

    def leave(self, name: str) -> bool:
        """Let it go."""
        return self.lanes.leave(self.sessions[name])

    def test_opens(self) -> None:
        """The first session of a snapshot opens a lane; the memory is taken, and given back when it leaves."""
        self.assertTrue(self.admit("a"))
        self.assertEqual((len(self.lanes), self.budget.free(WINDOW)), (1, 0))
        self.assertTrue(self.leave("a"))
        self.assertEqual((len(self.lanes), self.budget.used[WINDOW]), (0, 0))
        self.assertIsNone(self.lanes.get("a"))

    def test_not_in(self) -> None:
        """Who is in no lane leaves none."""
        self.assertFalse(self.leave("a"))
        self.admit("a")
        self.assertTrue(self.leave("a"))
        self.assertFalse(self.leave("a"))

    def test_in_line(self) -> None:
        """Memory goes to who was refused it first."""
        self.admit("a")
        self.assertFalse(self.lanes.short)
        self.assertEqual([self.admit("b"), self.admit("c")], [False, False])
        self.assertTrue(self.lanes.short)
        self.leave("a")
        self.assertEqual([self.admit("a"), self.admit("c"), self.admit("b")], [False, False, True])
        self.leave("b")
        self.assertEqual([self.admit("a"), self.admit("c")], [False, True])
        self.assertTrue(self.lanes.refused("a"))

    def test_out_of_line(self) -> None:
        """Who waits no longer holds nobody up."""
        self.admit("a")
        self.admit("b")
        self.lanes.wait_no_longer("b")
        self.assertFalse(self.lanes.refused("b"))
        self.leave("a")
        self.assertTrue(self.admit("c"))

    def test_only_wait_for(self) -> None:
        """Nor does one of whom nobody is left."""
        self.admit("a")
        self.admit("b")
        self.admit("c")
        self.lanes.only_wait_for({"c", "a"})
        self.leave("a")
        self.assertTrue(self.admit("c"))
