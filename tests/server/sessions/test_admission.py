"""Tests for :mod:`patches.server.sessions.admission`: the order in which sessions are activated."""

from __future__ import annotations

from collections import Counter

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from patches.server.budget import Budget
from patches.server.sessions.admission import Admission
from patches.server.sessions.chunk_response import MAX_RESPONSE_BYTES
from patches.server.sessions.cohorts import Cohorts
from patches.server.sessions.snapshot_refs import SnapshotRefs
from patches.server.sessions.table import Limits, Session, SessionTable, State
from patches.server.sessions.waiters import Waiters
from tests.server.fake_catalogue import Shelf, snapshot


class AdmissionTests(SynchronousTestCase):
    """Memory for one cohort, and two active sessions for each platform."""

    def setUp(self) -> None:
        self.table = SessionTable(Limits(max_active=2))
        self.cohorts = Cohorts(Budget(MAX_RESPONSE_BYTES), Shelf().load, MAX_RESPONSE_BYTES, 10.0)
        self.snapshots, self.waiting, self.clock = SnapshotRefs(), Waiters(), Clock()
        self.events: Counter[str] = Counter()
        self.subject = Admission(self.table, self.cohorts, self.snapshots, self.waiting, self.events, self.clock)

    def enqueue(self, name: str, revision: str = "r1") -> Session:
        """Open a session, and enqueue it for admission."""
        self.snapshots.take(snapshot(4, "debian-12", revision))
        session = self.table.open(name, "debian-12", revision, 0, 0.0)
        self.subject.enqueue(session)
        return session

    def go(self, session: Session, **how: bool) -> None:
        """Remove a session from the table and from its cohort."""
        self.table.remove(session)
        self.subject.leave(session, **how)

    def test_active(self) -> None:
        """A session is activated at once while the limit allows it; one that waits is notified of its activation."""
        self.clock.advance(7.0)
        session = self.enqueue("a")
        self.assertEqual((session.state, session.moved, self.events["activated"]), (State.ACTIVE, 7.0, 1))
        self.enqueue("b")
        third = self.enqueue("c")
        told = self.waiting.add("c")
        self.assertEqual((third.state, self.events["activated"]), (State.QUEUED, 2))
        self.assertNoResult(told)
        self.go(self.table.get("a"))
        self.assertEqual(third.state, State.QUEUED)
        self.subject.tick()
        self.assertIs(third.state, State.ACTIVE)
        self.successResultOf(told)

    def test_next_cohort(self) -> None:
        """The memory of a cohort that ends passes to the next session of the queue, unless the service is stopping."""
        for how, expected in (({}, State.ACTIVE), ({"last": False}, State.ACTIVE), ({"last": True}, State.QUEUED)):
            self.setUp()
            first, second = self.enqueue("a"), self.enqueue("b", "r2")
            self.assertEqual((first.state, second.state), (State.ACTIVE, State.QUEUED))
            self.go(first, **how)
            self.assertIs(second.state, expected, how)

    def test_not_in_a_lane(self) -> None:
        """A queued session that is removed does not make room for a further cohort."""
        self.enqueue("a")
        second, third = self.enqueue("b", "r2"), self.enqueue("c", "r3")
        self.go(second)
        self.assertEqual((third.state, len(self.cohorts)), (State.QUEUED, 1))

    def test_first_come(self) -> None:
        """A session that came earlier is activated first when a place becomes free."""
        self.enqueue("a")
        second, third = self.enqueue("b"), self.enqueue("c")
        self.go(second)
        fourth = self.enqueue("d")
        self.assertEqual((third.state, fourth.state), (State.ACTIVE, State.QUEUED))
