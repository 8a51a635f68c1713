"""Tests for :mod:`patches.server.sessions.pace`: estimates are compared with what the queue then takes."""

from __future__ import annotations

from twisted.internet.defer import ensureDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from patches.server.sessions.pace import QueuePace
from patches.server.sessions.session import Limits
from patches.server.sessions.states import State
from tests.server.session_case import ROOMY, ReadingCase


class PaceTests(SynchronousTestCase):
    """The pace of a queue."""

    def test_unknown(self) -> None:
        """Before anything was measured, a place costs a twentieth of a second."""
        self.assertEqual(QueuePace().expected_wait(9, 5.0, 5.0), 0.5)

    def test_nothing_moves(self) -> None:
        """Before anything was measured, a place is expected to cost what the first one has waited already."""
        self.assertEqual(QueuePace().expected_wait(2, 12.0, 5.0), 21.0)

    def test_steady(self) -> None:
        """A queue that moves every two seconds is expected to go on so."""
        pace, clock = QueuePace(), Clock()
        for _ in range(20):
            clock.advance(2)
            pace.note(clock.seconds(), 0.0)
        self.assertAlmostEqual(pace.expected_wait(9, clock.seconds(), 0.0), 20.0)

    def test_in_batches(self) -> None:
        """Sessions that are activated together, as a cohort is, count with the time that passed before."""
        pace, clock = QueuePace(), Clock()
        for _ in range(3):
            clock.advance(60)
            for _ in range(100):
                pace.note(clock.seconds(), 0.0)
        self.assertAlmostEqual(pace.expected_wait(99, clock.seconds(), 0.0), 60.0)

    def test_stalls(self) -> None:
        """The expectation grows while nothing moves."""
        pace = QueuePace()
        pace.note(1.0, 0.0)
        self.assertEqual([pace.expected_wait(0, now, 0.0) for now in (1.0, 11.0, 101.0)], [1.0, 11.0, 101.0])

    def test_forgotten(self) -> None:
        """A rate of long ago is not used."""
        pace = QueuePace()
        for second in range(10):
            pace.note(float(second), 0.0)
        self.assertEqual(pace.expected_wait(0, 10_000.0, 10_000.0), 0.05)


class CrowdTests(ReadingCase):
    """Two hundred and fifty sessions for eight places, each of which is held for two seconds."""

    limits = Limits(max_active=8, max_queued=1000, session_timeout=30, queue_timeout=60)
    window_bytes = ROOMY
    room = 1000
    service_seconds = 2.0

    def time_for_all(self, polls: bool) -> tuple[float, list[tuple[float, float]]]:
        """
        Return how long it takes until all have read the list, and for some what was expected and how long it took.

        :param polls: whether the scanners poll as they are told, or have a request parked.
        """
        from patches.server.http.representations import poll_after

        expected: list[tuple[float, float]] = []
        left = 250

        def work(session: object, since: float, told: float) -> None:
            nonlocal left
            if told:
                expected.append((told, self.clock.seconds() - since))
            self.read_all(session)  # type: ignore[arg-type]
            left -= 1

        def poll(session: object, since: float, told: float) -> None:
            current = self.service.touch(session.token)  # type: ignore[attr-defined]
            wait = self.service.expected_wait(current)
            if current.state is State.ACTIVE:
                self.clock.callLater(self.service_seconds, work, current, since, told)
            elif polls:
                again = poll_after(current.state, wait, self.limits)
                self.clock.callLater(again, poll, current, since, told)
            else:
                parked = ensureDeferred(self.service.until_active(current.token, 20.0))
                parked.addCallback(poll, since, told)

        for number in range(250):
            session = self.open()
            self.clock.callLater(0.0, poll, session, 0.0, 0.0)
            if number % 50 == 49:
                self.clock.callLater(8.0, lambda each=session: expected.append(self.told(each)))
        for _ in range(20_000):
            if not left:
                return self.clock.seconds(), expected
            self.clock.advance(0.05)
            if round(self.clock.seconds() / 0.05) % 20 == 0:
                self.service.tick()
        raise AssertionError("somebody waits for ever")

    def told(self, session: object) -> tuple[float, float]:
        """Return what a session is told after eight seconds, and its place in the queue."""
        position = self.sessions.queue_position(session) or 0  # type: ignore[arg-type]
        return self.service.expected_wait(session), float(position)  # type: ignore[arg-type]

    def test_pollers_are_not_left_behind(self) -> None:
        """A fleet that polls is done nearly as soon as one that has its requests parked."""
        parked, _ = self.time_for_all(polls=False)
        self.setUp()
        polled, _ = self.time_for_all(polls=True)
        print(f"250 sessions, 8 places of 2 s: {parked:.1f} s with parked requests, {polled:.1f} s with polling")
        self.assertLess(polled, 1.5 * parked)

    def test_what_is_said(self) -> None:
        """After some seconds, the wait that is said is what the queue really takes, within a third."""
        _, told = self.time_for_all(polls=False)
        for said, position in told:
            if position:
                needed = position / self.limits.max_active * self.service_seconds
                self.assertLess(abs(said - needed), needed / 3 + 2, (said, needed))
