"""Tests for :mod:`patches.server.sessions.events`: what each change of the sessions returns."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.server.sessions.chunk_response import MAX_RESPONSE_BYTES
from patches.server.sessions.events import Arrived, Changed, Dropped, Event, Load
from patches.server.sessions.session import Limits, Session
from patches.server.sessions.sessions import Sessions, Wait
from patches.server.sessions.states import SessionStep
from patches.service.budget import Budget
from tests.server.fake_catalogue import blank, snapshot


class EventTests(SynchronousTestCase):
    """The sessions of one list of two chunks, in a window with room for one, and one place."""

    def setUp(self) -> None:
        self.list = snapshot(2, "debian-12", "d1")
        self.sessions = Sessions(Limits(max_active=1, session_timeout=30), Budget(1 << 20), MAX_RESPONSE_BYTES)

    def open(self, token: str) -> tuple[Session, list[Event]]:
        """Open a session."""
        session, events = self.sessions.open(token, self.list, "", 0.0)
        assert isinstance(session, Session)
        return session, events

    def test_life(self) -> None:
        """A session is admitted, its chunks are loaded and arrive, and it is finished; the next one follows."""
        first, events = self.open("first")
        window = first.window
        assert window is not None
        self.assertEqual(events, [Changed(first, SessionStep.ADMITTED), Load(window, 0)])
        second, events = self.open("second")
        self.assertEqual(events, [])
        self.assertEqual(self.sessions.read("first", 0, 0.0), (Wait.LOAD, []))
        self.assertEqual(self.sessions.read("second", 0, 0.0), (Wait.QUEUE, []))
        chunk = blank(0)
        self.assertEqual(self.sessions.end_load(window, chunk), [Arrived((first,))])
        self.assertEqual(self.sessions.read("first", 0, 0.0), (chunk, []))
        chunk.pin()
        self.assertEqual(self.sessions.read("first", 1, 0.0), (Wait.OTHERS, [Dropped(window, chunk)]))
        self.assertEqual(self.sessions.freed(window, chunk.size), [Load(window, 1)])
        self.assertEqual(self.sessions.end_load(window, blank(1)), [Arrived((first,))])
        self.sessions.read("first", 1, 0.0)
        result, events = self.sessions.read("first", 2, 1.0)
        self.assertIsNone(result)
        self.assertEqual(events[:2], [Changed(first, SessionStep.FINISHED), Changed(second, SessionStep.ADMITTED)])

    def test_failure(self) -> None:
        """A load that failed is told, with its error, to those that ask for a chunk."""
        first, _ = self.open("first")
        assert first.window is not None
        self.sessions.read("first", 0, 0.0)
        error = OSError()
        self.assertEqual(self.sessions.end_load(first.window, None, error), [Arrived((first,), error)])
        self.assertEqual(self.sessions.read("first", 0, 0.0), (Wait.LOAD, [Load(first.window, 0)]))

    def test_silence(self) -> None:
        """A session that is silent for too long ends, with the reason."""
        first, _ = self.open("first")
        (event,) = self.sessions.tick(31.0)
        self.assertEqual(event, Changed(first, SessionStep.SILENT, "the active session was silent for more than 30 s"))
