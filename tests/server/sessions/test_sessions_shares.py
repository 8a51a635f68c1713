"""Tests for :mod:`patches.server.sessions.sessions`: who gives way while all places are taken."""

from __future__ import annotations

from patches.server.errors import Denied
from patches.server.sessions.session import Limits
from patches.server.sessions.states import State
from tests.server.session_case import ReadingCase


class ShareTests(ReadingCase):
    """A queue of five places."""

    limits = Limits(max_active=1, max_queued=5, max_share=0.2, session_timeout=30, queue_timeout=60)

    def test_gives_way(self) -> None:
        """A newcomer gets the place of the youngest session of the address that has most, which is told so."""
        fleet = [self.open(owner="fleet") for _ in range(6)]
        waiting = self.ask(fleet[5], 0)
        newcomer = self.open(owner="other")
        self.assertEqual((newcomer.state, self.sessions.queue_position(newcomer)), (State.QUEUED, 4))
        for denied in (
            self.failureResultOf(waiting, Denied).value,
            self.assertRaises(Denied, self.service.touch, fleet[5].token),
        ):
            self.assertEqual((denied.code, denied.retry_after), ("share", 1))
        self.assertEqual(self.service.events["denied"], 1)

    def test_not_without_need(self) -> None:
        """Nobody gives way while there are places: a fleet behind one address may have them all."""
        fleet = [self.open(owner="fleet") for _ in range(5)]
        self.open(owner="other")
        self.assertEqual([session.state for session in fleet], [State.ACTIVE] + [State.QUEUED] * 4)

    def test_not_for_its_own(self) -> None:
        """A newcomer of an address that has as many places is denied."""
        for owner in ("a", "a", "b", "b", "a", "b"):
            self.open(owner=owner)
        self.assertEqual(self.assertRaises(Denied, self.open, None, "b").code, "queue-full")
        self.assertEqual(self.assertRaises(Denied, self.open, None, "a").code, "queue-full")
        self.open(owner="c")

    def test_active_sessions_stay(self) -> None:
        """An active session keeps its place."""
        first = self.open(owner="fleet")
        for _ in range(5):
            self.open(owner="fleet")
        for number in range(10):
            if len(self.sessions._admission.queues["debian-12"]) == 5:
                self.assertRaises(Denied, self.open, None, "fleet")
            self.open(owner=f"other {number % 4}") if number < 4 else None
        self.assertIs(first.state, State.ACTIVE)

    def test_off(self) -> None:
        """With a share of 100 % nobody gives way."""
        self.limits = Limits(max_active=1, max_queued=5, max_share=1.0)
        self.setUp()
        for _ in range(6):
            self.open(owner="fleet")
        self.assertEqual(self.assertRaises(Denied, self.open, None, "other").code, "queue-full")
