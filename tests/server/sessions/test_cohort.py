"""Tests for :mod:`patches.server.sessions.cohorts`: overdue sessions at the tail, and sessions that may join."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.server.sessions.chunk_response import MAX_RESPONSE_BYTES
from patches.server.sessions.cohorts import Cohort
from patches.server.sessions.table import Session, State
from tests.server.fake_catalogue import Shelf, snapshot


class CohortTests(SynchronousTestCase):
    """A cohort that is served four chunks."""

    def setUp(self) -> None:
        self.cohort = Cohort(snapshot(4), 0, MAX_RESPONSE_BYTES, Shelf().load, 0.0)
        self.slow, self.quick = self.enter("slow", 0), self.enter("quick", 0)

    def enter(self, token: str, position: int, now: float = 0.0) -> Session:
        """Enter a session into the cohort."""
        session = Session(token, "debian-12", "r1", position, seen=now, moved=now, state=State.ACTIVE)
        self.cohort.enter(session)
        return session

    def move(self, session: Session, n: int, now: float) -> None:
        """Ask for a chunk on behalf of a session."""
        self.cohort.window.read(session.token, n)
        session.position, session.moved = n, now

    def overdue(self, now: float, queued: bool = False) -> list[str]:
        """Return the sessions that are overdue after ten seconds."""
        return [session.token for session in self.cohort.overdue(now, 10.0, queued)]

    def test_nobody_waits(self) -> None:
        """A session is not overdue while no other one waits."""
        self.assertEqual(self.overdue(100.0), [])

    def test_queue_waits(self) -> None:
        """While a session is queued, all sessions at the tail are overdue after the timeout, and not before."""
        self.assertEqual(self.overdue(10.0, queued=True), [])
        self.assertEqual(self.overdue(10.1, queued=True), ["slow", "quick"])

    def test_one_ahead_waits(self) -> None:
        """A session at the tail is overdue while another one is ahead and waits."""
        self.move(self.slow, 0, 0.0)
        self.move(self.quick, 0, 0.0)
        self.move(self.quick, 1, 1.0)
        self.assertEqual(self.overdue(11.0), ["slow"])

    def test_moved_lately(self) -> None:
        """The timeout of a session that reached the tail recently begins then."""
        self.enter("late", 0, now=5.0)
        self.assertEqual(self.overdue(10.1, queued=True), ["slow", "quick"])
        self.assertEqual(self.overdue(15.1, queued=True), ["slow", "quick", "late"])

    def test_tail_moved_lately(self) -> None:
        """
        When the tail moves on, the timeout begins again for each session at the new tail, however long it was there.
        """
        self.move(self.quick, 0, 0.0)
        self.move(self.quick, 1, 0.0)
        self.move(self.slow, 0, 50.0)
        self.move(self.slow, 1, 50.0)
        self.assertEqual(self.overdue(50.5, queued=True), [])
        self.assertEqual(self.overdue(60.5, queued=True), [])
        self.assertEqual(self.overdue(60.6, queued=True), ["slow", "quick"])

    def test_admits(self) -> None:
        """A session may join if its chunk is cached or still to be loaded."""
        self.assertEqual([self.cohort.admits(n, 0.0, 10.0) for n in range(6)], [True] * 5 + [False])
        for session in (self.slow, self.quick):
            self.move(session, 0, 0.0)
            self.move(session, 1, 0.0)
        self.assertFalse(self.cohort.admits(0, 0.0, 10.0))

    def test_admits_no_more(self) -> None:
        """After a session ahead has waited for long, no session may join at the tail until the tail moves on."""
        self.move(self.quick, 0, 0.0)
        self.assertTrue(self.cohort.admits(0, 100.0, 10.0))
        self.move(self.quick, 1, 0.0)
        self.assertTrue(self.cohort.admits(0, 10.0, 10.0))
        self.assertEqual([self.cohort.admits(n, 10.1, 10.0) for n in (0, 1)], [False, True])
        self.move(self.slow, 0, 11.0)
        self.move(self.slow, 1, 11.0)
        self.assertTrue(self.cohort.admits(1, 100.0, 10.0))
