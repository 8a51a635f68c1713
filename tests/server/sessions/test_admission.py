"""Tests for :mod:`patches.server.sessions.admission`: the order in which sessions are activated."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.server.catalogue.snapshot import Snapshot
from patches.server.sessions.admission import Admission
from patches.server.sessions.chunk_response import MAX_RESPONSE_BYTES
from patches.server.sessions.session import Limits, Session
from patches.server.sessions.states import SessionStep, State
from patches.server.sessions.table import SessionTable
from patches.server.sessions.windows import Windows
from patches.service.budget import Budget
from tests.server.fake_catalogue import snapshot

#: Lists without chunks: nothing has to be loaded.
DEBIAN, NEWER = snapshot(0, "debian-12", "d1"), snapshot(0, "debian-12", "d2")


class AdmissionTests(SynchronousTestCase):
    """Two places, and memory for one window."""

    def setUp(self) -> None:
        self.table = SessionTable()
        self.windows = Windows(Budget(MAX_RESPONSE_BYTES), MAX_RESPONSE_BYTES, 10.0)
        self.admission = Admission(Limits(max_active=2), self.table, self.windows)

    def enqueue(self, what: Snapshot = DEBIAN) -> Session:
        """Enqueue a session."""
        session = Session(f"{len(self.table)}", what, "", 0, 1.0, 1.0)
        self.table.add(session)
        self.admission.enqueue(session, 1.0)
        return session

    def leave(self, session: Session) -> None:
        """Remove an active session, and let others follow."""
        window = session.window
        assert window is not None
        self.windows.leave(session, 2.0)
        self.table.take_step(session, SessionStep.FINISHED)
        self.admission.follow(session.platform, window.is_empty, 2.0)

    def states(self, *sessions: Session) -> list[State]:
        """Return the states of some sessions."""
        return [session.state for session in sessions]

    def test_places(self) -> None:
        """Sessions are active at once while there are places; the next one follows at once when one is free."""
        first, second, third, fourth = (self.enqueue() for _ in range(4))
        self.assertEqual(self.states(first, second, third, fourth), ["active", "active", "queued", "queued"])
        self.leave(first)
        self.assertEqual(self.states(third, fourth), ["active", "queued"])

    def test_nobody_jumps_the_queue(self) -> None:
        """A newcomer does not pass one that waits for the very same chunk, whatever has become free meanwhile."""
        first, waits = self.enqueue(), self.enqueue(NEWER)
        self.assertEqual(self.states(first, waits), ["active", "queued"])
        self.windows.leave(first, 2.0)  # memory is free, but nobody was told yet
        self.table.take_step(first, SessionStep.FINISHED)
        newcomer = self.enqueue(NEWER)
        self.assertEqual(self.states(waits, newcomer), ["queued", "queued"])
        self.admission.admit_all(3.0)
        self.assertEqual(self.states(waits, newcomer), ["active", "active"])

    def test_other_windows(self) -> None:
        """A session that can be active does not wait for one before it that waits for another window."""
        first, waits = self.enqueue(), self.enqueue(NEWER)
        joins = self.enqueue()
        self.assertEqual(self.states(first, waits, joins), ["active", "queued", "active"])

    def test_last_of_a_window(self) -> None:
        """When the last session of a window leaves, one that waits for another window is activated."""
        first, waits = self.enqueue(), self.enqueue(NEWER)
        self.leave(first)
        self.assertIs(waits.state, State.ACTIVE)

    def test_removed(self) -> None:
        """A queued session that is removed is not activated."""
        first, second, third, fourth = (self.enqueue() for _ in range(4))
        self.admission.remove(third)
        self.leave(first)
        self.leave(second)
        self.assertEqual(self.states(third, fourth), ["queued", "active"])
        self.assertEqual(self.admission.waiting_revisions(), set())

    def test_at_once(self) -> None:
        """Sessions that do not wait say nothing about the pace of the queue."""
        for _ in range(2):
            session = Session(f"{len(self.table)}", DEBIAN, "", 0, 1.0, 1.0)
            self.table.add(session)
            self.admission.enqueue(session, 1.0)
        third = self.enqueue()
        self.assertEqual(self.admission.expected_wait(third, 1.0), 0.05)

    def test_waits(self) -> None:
        """The expected wait and the time for a retry follow from the pace of the queue."""
        first, _, third, fourth = (self.enqueue() for _ in range(4))
        self.assertEqual(self.admission.expected_wait(first, 1.0), 0.0)
        self.leave(first)  # one was activated in a second
        self.assertEqual(self.admission.expected_wait(third, 2.0), 0.0)
        self.assertEqual(self.admission.expected_wait(fourth, 2.0), 1.0)
        self.assertEqual(self.admission.retry_after("debian-12", 3.0), 2)
