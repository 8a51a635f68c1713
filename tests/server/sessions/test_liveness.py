"""Tests for :mod:`patches.server.sessions.service` and its cohorts: each session is answered in a bounded time."""

from __future__ import annotations

from patches.server.budget import SESSIONS, WINDOW
from patches.server.errors import Denied, SessionExpired, UnknownSession
from patches.server.sessions.session import Limits
from patches.server.sessions.states import State
from tests.server.fake_catalogue import snapshot
from tests.server.session_case import ReadingCase


class SilenceTests(ReadingCase):
    """Sessions that are silent."""

    limits = Limits(max_active=3, max_queued=5, session_timeout=30, queue_timeout=60, chunk_timeout=1000)

    def test_active(self) -> None:
        """An active session that is silent for too long expires with a reason, and its memory is released."""
        session = self.open()
        self.pass_time(30)
        self.assertIs(session.state, State.ACTIVE)
        self.service.touch(session.token)
        self.pass_time(31)
        error = self.assertRaises(SessionExpired, self.service.touch, session.token)
        self.assertIn("30 s", str(error))
        self.forget_windows()
        self.assertFalse(any(self.budget.used.values()))
        self.assertEqual(self.service.events["expired"], 1)

    def test_queued(self) -> None:
        """A queued session may be silent for longer."""
        alive = [self.open() for _ in range(3)]
        queued = self.open()
        self.pass_time(60, *alive)
        self.assertIs(queued.state, State.QUEUED)
        waiting = self.active(queued)
        self.pass_time(61, *alive)
        self.assertIn("60 s", str(self.failureResultOf(waiting, SessionExpired).value))

    def test_all_silent(self) -> None:
        """If all have been silent for too long, a queued session expires, too: it does not get the place of another."""
        sessions = [self.open() for _ in range(4)]
        self.pass_time(1)
        self.clock.advance(60.5)
        self.service.tick()
        self.assertEqual([session.state for session in sessions], [State.EXPIRED] * 4)

    def test_complete(self) -> None:
        """A complete session is forgotten without a reason."""
        session = self.open()
        self.read_all(session)
        self.pass_time(31)
        self.assertRaises(UnknownSession, self.service.touch, session.token)
        self.assertEqual(self.service.events["expired"], 0)

    def test_silence_counts_from_activation(self) -> None:
        """The silence of a session is measured from its activation, even if it was silent in the queue."""
        sessions = [self.open() for _ in range(4)]
        self.pass_time(25, *sessions[:3])
        self.service.close(sessions[0].token)
        self.pass_time(29, *sessions[1:3])
        self.assertIs(sessions[3].state, State.ACTIVE)

    def test_resume_after_expiry(self) -> None:
        """An expired session can be resumed at its chunk."""
        session = self.open()
        self.read(session, 0, 1)
        self.pass_time(31)
        resumed = self.service.resume(session.token, self.debian, 2)
        self.read(resumed, 2, 3, 4)
        self.assertIs(self.service.touch(session.token).state, State.COMPLETE)


class ScarceMemoryTests(ReadingCase):
    """Sessions while there is memory for one window."""

    windows = 1
    room = 6

    def test_waits_for_memory(self) -> None:
        """A session whose window cannot be granted memory is queued, and activated once memory is free."""
        first = self.open()
        waits = self.open(self.alpine)
        self.assertIs(waits.state, State.QUEUED)
        self.read_all(first)
        self.service.tick()
        self.assertIs(waits.state, State.ACTIVE)

    def test_holding_memory(self) -> None:
        """A slow session expires while a session of another platform waits for the memory of its window."""
        slow, waits = self.open(), self.open(self.alpine)
        self.read(slow, 0)
        self.pass_time(23, slow, waits)
        self.assertRaises(SessionExpired, self.service.touch, slow.token)
        self.assertIs(waits.state, State.ACTIVE)

    def test_first_come_first_served(self) -> None:
        """A busy platform does not keep the memory from another one that waited for it first."""
        first = self.open()
        self.read(first, 0, 1)
        waits, busy = self.open(self.alpine), self.open()
        self.read_all(first)
        self.service.tick()
        self.assertEqual([waits.state, busy.state], [State.ACTIVE, State.QUEUED])
        self.read_all(waits)
        self.service.tick()
        self.assertIs(busy.state, State.ACTIVE)

    def test_given_up(self) -> None:
        """A session that was closed while it waited does not keep the memory from others."""
        first = self.open()
        waits, other = self.open(self.alpine), self.open(snapshot(4, "rocky-9", "k1"))
        self.service.close(waits.token)
        self.read_all(first)
        self.service.tick()
        self.assertIs(other.state, State.ACTIVE)

    def test_no_session(self) -> None:
        """A session for which there is no memory is denied with a time for the retry."""
        for n in range(6):
            self.open(snapshot(4, f"debian-{n}", f"r{n}"))
        denied = self.assertRaises(Denied, self.open)
        self.assertEqual((denied.code, denied.retry_after), ("memory-limit", 15))
        self.assertEqual(self.service.events["denied"], 1)

    def test_all_given_back(self) -> None:
        """All memory is released when all sessions have ended and the last slow response was sent."""
        sessions = [self.open(), self.open(self.alpine)]
        chunk = self.successResultOf(self.ask(sessions[0], 0))
        assert chunk is not None
        chunk.pin()
        for session in sessions:
            self.service.close(session.token)
        self.forget_windows()
        self.assertEqual((self.budget.used[SESSIONS], self.budget.used[WINDOW] > 0), (0, True))
        chunk.unpin()
        self.assertEqual(self.budget.used[WINDOW], 0)


class BusyTests(ReadingCase):
    """A platform with many sessions."""

    limits = Limits(max_active=2, max_queued=50, session_timeout=30, queue_timeout=60, chunk_timeout=20)

    def test_queue_in_order(self) -> None:
        """Queued sessions are activated in the order in which they were opened."""
        sessions = [self.open() for _ in range(10)]
        done = []
        while len(done) < 10:
            active = [s for s in sessions if s.state is State.ACTIVE]
            self.assertEqual(len(active), 2)
            for n in range(5):
                for session in active:
                    self.read(session, n)
            done.extend(active)
        self.assertEqual(done, sessions)
