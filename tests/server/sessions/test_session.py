"""Tests for :mod:`patches.server.sessions.session`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.server.sessions.session import Limits, Session
from patches.server.sessions.states import State
from tests.server.fake_catalogue import snapshot


class SessionTests(SynchronousTestCase):
    """A session, and the limits of all."""

    def test_of_its_list(self) -> None:
        """Platform and revision are those of the list that it reads; it begins in the queue."""
        session = Session("t", snapshot(4, "debian-12", "d1"), "", 2, 0.0, 0.0)
        self.assertEqual((session.platform, session.revision, session.state), ("debian-12", "d1", State.QUEUED))

    def test_silence(self) -> None:
        """A queued session may be silent for another time than the others."""
        limits = Limits(session_timeout=3, queue_timeout=5)
        self.assertEqual([limits.allowed_silence(state) for state in State][:3], [5, 3, 3])
