"""Tests for :mod:`patches.server.sessions.cohorts`: which cohort is granted the memory of a window."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.server.budget import WINDOW, Budget
from patches.server.sessions.chunk_response import MAX_RESPONSE_BYTES
from patches.server.sessions.cohorts import Cohorts
from patches.server.sessions.table import Session
from tests.server.fake_catalogue import Shelf, snapshot


class CohortsTests(SynchronousTestCase):
    """Cohorts with memory for one window."""

    def setUp(self) -> None:
        self.budget = Budget(MAX_RESPONSE_BYTES)
        self.cohorts = Cohorts(self.budget, Shelf().load, MAX_RESPONSE_BYTES, 10.0)
        self.sessions = {name: Session(name, name, name, 0, 0.0, 0.0) for name in "abc"}

    def admit(self, name: str) -> bool:
        """Admit the session of a snapshot."""
        return self.cohorts.admit(self.sessions[name], snapshot(4, name, name), 0.0)

    def leave(self, name: str) -> bool:
        """Remove the session of a snapshot."""
        return self.cohorts.leave(self.sessions[name])

    def test_opens(self) -> None:
        """The first session of a snapshot opens a cohort, whose memory is released when the session leaves."""
        self.assertTrue(self.admit("a"))
        self.assertEqual((len(self.cohorts), self.budget.free(WINDOW)), (1, 0))
        self.assertTrue(self.leave("a"))
        self.assertEqual((len(self.cohorts), self.budget.used[WINDOW]), (0, 0))
        self.assertIsNone(self.cohorts.get("a"))

    def test_not_in(self) -> None:
        """The removal of a session that is not in a cohort does not end a cohort."""
        self.assertFalse(self.leave("a"))
        self.admit("a")
        self.assertTrue(self.leave("a"))
        self.assertFalse(self.leave("a"))

    def test_in_line(self) -> None:
        """Memory is granted first to the revision that was refused it first."""
        self.admit("a")
        self.assertFalse(self.cohorts.is_short_of_memory)
        self.assertEqual([self.admit("b"), self.admit("c")], [False, False])
        self.assertTrue(self.cohorts.is_short_of_memory)
        self.leave("a")
        self.assertEqual([self.admit("a"), self.admit("c"), self.admit("b")], [False, False, True])
        self.leave("b")
        self.assertEqual([self.admit("a"), self.admit("c")], [False, True])
        self.assertTrue(self.cohorts.is_waiting_for_memory("a"))

    def test_out_of_line(self) -> None:
        """A revision that no longer waits does not delay others."""
        self.admit("a")
        self.admit("b")
        self.cohorts.stop_waiting("b")
        self.assertFalse(self.cohorts.is_waiting_for_memory("b"))
        self.leave("a")
        self.assertTrue(self.admit("c"))

    def test_only_wait_for(self) -> None:
        """A revision without any waiting session does not delay others."""
        self.admit("a")
        self.admit("b")
        self.admit("c")
        self.cohorts.keep_waiting_only({"c", "a"})
        self.leave("a")
        self.assertTrue(self.admit("c"))
