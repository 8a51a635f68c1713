"""Tests for :mod:`patches.server.sessions.service`: sessions that are resumed."""

from __future__ import annotations

from patches.server.budget import SESSION_BYTES, WINDOW
from patches.server.errors import OutOfOrder, WindowClosed
from patches.server.sessions.states import State
from tests.server.session_case import TIGHT, ReadingCase


class ResumingTests(ReadingCase):
    """Sessions that are resumed."""

    def test_at_its_chunk(self) -> None:
        """After a restart of the server a session resumes at the chunk that its scanner names."""
        token = self.key.create("debian-12", "d1")
        session = self.service.resume(token, self.debian, 2)
        self.assertEqual((session.token, session.state, session.position), (token, State.ACTIVE, 2))
        self.read(session, 2, 3, 4)
        self.assertEqual([number for _, number in self.shelf.asked], [2, 3])

    def test_joins_ahead(self) -> None:
        """A resumed session joins a window that will reach its chunk."""
        slow = self.open()
        session = self.service.resume(self.key.create("debian-12", "d1"), self.debian, 3)
        waiting = self.ask(session, 3)
        self.assertNoResult(waiting)
        self.read(slow, 0, 1, 2)
        self.successResultOf(waiting)

    def test_waits_behind(self) -> None:
        """A resumed session whose chunk was dropped waits for the next cohort."""
        self.budget.take(WINDOW, self.budget.free(WINDOW) - TIGHT - 5 * SESSION_BYTES)
        first = self.open()
        self.read(first, 0, 1, 2)
        session = self.service.resume(self.key.create("debian-12", "d1"), self.debian, 1)
        self.assertIs(session.state, State.QUEUED)
        self.read(first, 3, 4)
        self.read(session, 1, 2, 3, 4)

    def test_place_kept(self) -> None:
        """A queued session that is resumed at its own chunk keeps its place."""
        sessions = [self.open() for _ in range(5)]
        again = self.service.resume(sessions[3].token, self.debian, 0)
        self.assertIs(again, sessions[3])
        self.assertEqual(self.sessions.queue_position(again), 0)

    def test_no_such_chunk(self) -> None:
        """A session cannot be resumed before the first chunk or behind the end."""
        token = self.key.create("debian-12", "d1")
        for n in (-1, 5):
            self.assertRaises(OutOfOrder, self.service.resume, token, self.debian, n)
        self.assertEqual(len(self.sessions), 0)

    def test_elsewhere(self) -> None:
        """A waiting request fails when another request resumes its session."""
        self.shelf.at_once = False
        session = self.open()
        waiting = self.ask(session, 0)
        self.service.resume(session.token, self.debian, 1)
        self.failureResultOf(waiting, WindowClosed)

    def test_elsewhere_while_queued(self) -> None:
        """A request that waits in the queue fails when another request resumes its session."""
        queued = [self.open() for _ in range(4)][3]
        waiting = self.active(queued)
        self.service.resume(queued.token, self.debian, 2)
        self.failureResultOf(waiting, WindowClosed)

    def test_after_completion(self) -> None:
        """A complete session can be resumed at any chunk."""
        session = self.open()
        self.read_all(session)
        self.read(self.service.resume(session.token, self.debian, 3), 3, 4)
        self.assertEqual(len(self.sessions), 1)

    def test_at_the_end(self) -> None:
        """A session that is resumed behind the last chunk of a list that its window cannot hold gets the end."""
        session = self.service.resume(self.key.create("debian-12", "d1"), self.debian, 4)
        self.read(session, 4)
        self.assertEqual(self.shelf.asked, [])
