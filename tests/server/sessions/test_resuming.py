"""Tests for :mod:`patches.server.sessions.sessions`: who comes back."""

from __future__ import annotations

from patches.server.errors import OutOfOrder, WindowClosed
from patches.server.sessions.table import State
from tests.server.session_case import ReadingCase


class ResumingTests(ReadingCase):
    """Who comes back."""

    def test_at_its_chunk(self) -> None:
        """A session of a server that was restarted goes on where its scanner says."""
        token = self.key.create("debian-12", "d1")
        session = self.session_service.resume(token, self.debian, 2)
        self.assertEqual((session.token, session.state, session.position), (token, State.ACTIVE, 2))
        self.read(session, 2, 3, 4)
        self.assertEqual([number for _, number in self.shelf.asked], [2, 3])

    def test_joins_ahead(self) -> None:
        """A resumed session joins a window that will get to its chunk."""
        slow = self.open()
        session = self.session_service.resume(self.key.create("debian-12", "d1"), self.debian, 3)
        waiting = self.ask(session, 3)
        self.assertNoResult(waiting)
        self.read(slow, 0, 1, 2)
        self.successResultOf(waiting)

    def test_waits_behind(self) -> None:
        """A resumed session whose chunk has been dropped waits for the next cohort."""
        first = self.open()
        self.read(first, 0, 1, 2)
        session = self.session_service.resume(self.key.create("debian-12", "d1"), self.debian, 1)
        self.assertIs(session.state, State.QUEUED)
        self.read(first, 3, 4)
        self.read(session, 1, 2, 3, 4)

    def test_place_kept(self) -> None:
        """Who resumes a session that is still there, at its chunk, keeps its place."""
        sessions = [self.open() for _ in range(5)]
        again = self.session_service.resume(sessions[3].token, self.debian, 0)
        self.assertIs(again, sessions[3])
        self.assertEqual(self.table.queue_position(again), 0)

    def test_no_such_chunk(self) -> None:
        """There is nothing to resume before the first chunk, or behind the end."""
        token = self.key.create("debian-12", "d1")
        for n in (-1, 5):
            self.assertRaises(OutOfOrder, self.session_service.resume, token, self.debian, n)
        self.assertEqual(len(self.table), 0)

    def test_elsewhere(self) -> None:
        """A request that waits is told when its session is resumed by another one."""
        self.shelf.at_once = False
        session = self.open()
        waiting = self.ask(session, 0)
        self.session_service.resume(session.token, self.debian, 1)
        self.failureResultOf(waiting, WindowClosed)

    def test_elsewhere_while_queued(self) -> None:
        """The same while it is queued."""
        queued = [self.open() for _ in range(4)][3]
        waiting = self.session_service.when_active(queued)
        self.session_service.resume(queued.token, self.debian, 2)
        self.failureResultOf(waiting, WindowClosed)

    def test_after_completion(self) -> None:
        """A complete session can be read once more from any chunk."""
        session = self.open()
        self.read_all(session)
        self.read(self.session_service.resume(session.token, self.debian, 3), 3, 4)
        self.assertEqual(len(self.table), 1)
