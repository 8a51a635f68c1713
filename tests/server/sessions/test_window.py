"""Tests for :mod:`patches.server.sessions.window`: positions and bytes, without any memory to compete for."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from patches.server.sessions.chunk_response import MAX_RESPONSE_BYTES
from patches.server.sessions.session import Session
from patches.server.sessions.window import Window
from tests.server.fake_catalogue import blank, snapshot


def join(window: Window, position: int = 0) -> Session:
    """Add a new session to a window. Return it."""
    session = Session(f"{position}", window.snapshot, "", position, 0.0, 0.0)
    window.join(session)
    return session


class WindowTests(SynchronousTestCase):
    """A window over ten chunks with room for three."""

    def setUp(self) -> None:
        self.window = Window(snapshot(10), 2, 3 * MAX_RESPONSE_BYTES)

    def load(self) -> None:
        """Load the next chunk."""
        self.window.end_load(blank(self.window.begin_load()))

    def test_admits(self) -> None:
        """A session may join where the chunk that it needs is held, or will be."""
        admitted = [self.window.admits(position) for position in (0, 1, 2, 9, 10, 11)]
        self.assertEqual(admitted, [False, False, True, True, True, False])

    def test_holds_all(self) -> None:
        """A window that can hold the whole list begins at its first chunk, whoever opens it."""
        self.assertEqual(Window(snapshot(3), 2, 3 * MAX_RESPONSE_BYTES).tail, 0)
        self.assertEqual(Window(snapshot(3), 2, 3 * MAX_RESPONSE_BYTES, is_private=True).tail, 2)

    def test_bytes(self) -> None:
        """A chunk counts as the largest while it is loaded, and as what it is afterwards."""
        join(self.window, 2)
        number = self.window.begin_load()
        self.assertEqual((number, self.window.used, self.window.wants_more), (2, MAX_RESPONSE_BYTES, False))
        self.window.end_load(blank(2, 100))
        self.assertEqual((self.window.used, self.window.cached_bytes, self.window.wants_more), (100, 100, True))

    def test_who_asks(self) -> None:
        """A chunk that arrives is for those that ask for it; a failure is for all that ask."""
        first, second = join(self.window, 2), join(self.window, 3)
        for session in (first, second):
            self.window.ask(session)
        self.window.begin_load()
        self.assertEqual(self.window.end_load(blank(2)), (first,))
        self.assertEqual([self.window.is_asking(each) for each in (first, second)], [False, True])
        self.window.ask(first)
        self.window.begin_load()
        self.assertEqual(set(self.window.end_load(None)), {first, second})
        self.assertFalse(self.window.wants_more)

    @settings(deadline=None)
    @given(st.lists(st.integers(0, 5), max_size=60))
    def test_low(self, moves: list[int]) -> None:
        """The lowest position is that of the session that is furthest behind, whoever moves, joins and leaves."""
        self.setUp()
        sessions = [join(self.window, 2)]
        for move in moves:
            session = sessions[move % len(sessions)]
            if move == 5:
                sessions.append(join(self.window, max(self.window.tail, session.position - 1)))
            elif move == 4 and len(sessions) > 1:
                self.window.leave(session)
                sessions.remove(session)
            elif session.position < self.window.chunks:
                while self.window.head <= session.position:
                    self.load()
                self.assertIsNotNone(self.window.serve(session))
                self.window.move(session, session.position + 1)
            self.assertEqual(self.window.low, min(each.position for each in sessions))
