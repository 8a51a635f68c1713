"""Tests for :mod:`patches.server.sessions.sessions`: sessions that delay others, and how long they can."""

from __future__ import annotations

from patches.server.errors import SessionExpired
from patches.server.sessions.session import Limits, Session
from patches.server.sessions.states import State
from tests.server.fake_catalogue import snapshot
from tests.server.session_case import ROOMY, ReadingCase


class AloneTests(ReadingCase):
    """Slow sessions that delay nobody."""

    def test_alone(self) -> None:
        """A slow session does not expire while no other one waits for it."""
        session = self.open()
        self.read(session, 0)
        self.pass_time(500, session)
        self.read(session, 1)

    def test_together(self) -> None:
        """Several sessions at the same chunk do not expire while no other one waits for them."""
        sessions = [self.open(), self.open()]
        self.pass_time(500, *sessions)
        self.assertEqual([s.state for s in sessions], [State.ACTIVE] * 2)


class RoomyTests(ReadingCase):
    """Slow sessions in a window that holds the whole list."""

    limits = Limits(max_active=50, session_timeout=30, chunk_timeout=5)
    window_bytes = ROOMY

    def test_delays_nobody(self) -> None:
        """A session that comes while a slow one reads is active at once, and reads everything at its own pace."""
        slow = self.open()
        for n in range(3):
            self.read(slow, n)
            self.pass_time(25, slow)
            newcomers = [self.open() for _ in range(3)]
            for newcomer in newcomers:
                self.assertIs(newcomer.state, State.ACTIVE)
                self.read_all(newcomer)
        self.read(slow, 3, 4)
        self.assertEqual(self.service.events["slowed"] + self.service.events["expired"], 0)

    def test_loaded_once(self) -> None:
        """A list that is read again and again is loaded once, also when nobody reads it in between."""
        for _ in range(3):
            self.read_all(self.open())
        self.assertEqual(self.shelf.asked, [("d1", n) for n in range(4)])


class HoldingUpTests(ReadingCase):
    """Slow sessions in a window that must slide, with memory for another one."""

    def test_for_one_ahead(self) -> None:
        """A session that delays another one for too long gets a window of its own; both read the whole list."""
        slow, quick = self.open(), self.open()
        self.read(slow, 0)
        self.read(quick, 0, 1)
        ahead = self.ask(quick, 2)
        self.pass_time(20, slow, quick)
        self.assertNoResult(ahead)
        self.pass_time(1, slow, quick)
        self.successResultOf(ahead)
        self.assertEqual((slow.state, self.service.events["slowed"]), (State.ACTIVE, 1))
        self.read(quick, 3, 4)
        self.read(slow, 0, 1)
        self.pass_time(100, slow)
        self.read(slow, 2, 3, 4)

    def test_no_memory(self) -> None:
        """If there is no memory for a window of its own, it expires with a reason, and can be resumed."""
        slow, quick = self.open(), self.open()
        self.read(slow, 0)
        self.read(quick, 0, 1)
        ahead = self.ask(quick, 2)
        left = self.budget.free("window")
        self.budget.take("window", left)
        self.pass_time(22, slow, quick)
        self.successResultOf(ahead)
        error = self.assertRaises(SessionExpired, self.service.touch, slow.token)
        self.assertIn("chunk 0 was not consumed within 20 s, and others waited", str(error))
        self.assertEqual(self.service.events["expired"], 1)
        self.budget.release("window", left)
        self.read(self.service.resume(slow.token, self.debian, 1), 1, 2, 3, 4)

    def test_for_the_pass(self) -> None:
        """A session that consumes each chunk in time delays others no longer in all: it gets a window of its own."""
        slow, quick = self.open(), self.open()
        self.read(quick, 0, 1)
        self.read(slow, 0)
        began, number = self.clock.seconds(), 0
        for ahead in (2, 3, 4):
            waiting = self.ask(quick, ahead)
            while not waiting.called:
                self.pass_time(1, slow, quick)
                if self.clock.seconds() % 15 == 0:
                    number += 1
                    self.read(slow, number)
        self.assertLessEqual(self.clock.seconds() - began, 22)
        self.assertEqual((slow.state, self.service.events["slowed"]), (State.ACTIVE, 1))
        self.read(slow, *range(number + 1, 5))

    def test_in_time(self) -> None:
        """
        A session that consumes each chunk in time does not expire, even if there is no memory for a window of its own.
        """
        slow, quick = self.open(), self.open()
        self.budget.take("window", self.budget.free("window") - 400)
        self.read(quick, 0, 1)
        self.read(slow, 0)
        ahead = 2
        for n in range(1, 5):
            waiting = self.ask(quick, ahead)
            self.pass_time(19, slow, quick)
            self.read(slow, n)
            self.successResultOf(waiting)
            ahead = min(ahead + 1, 4)
        self.assertIs(slow.state, State.COMPLETE)
        self.assertEqual(self.service.events["slowed"], 0)

    def test_waits_itself(self) -> None:
        """A session that waits for the catalogue is not to blame, and keeps its place."""
        self.shelf.at_once = False
        first, second = self.open(), self.open()
        waiting = [self.ask(first, 0), self.ask(second, 0)]
        self.pass_time(60, first, second)
        self.shelf.give()
        for chunk in waiting:
            self.successResultOf(chunk)
        self.assertEqual(self.service.events["slowed"] + self.service.events["expired"], 0)


class FullTests(ReadingCase):
    """Slow sessions while others wait for their places."""

    limits = Limits(max_active=2, max_queued=5, session_timeout=30, queue_timeout=60, chunk_timeout=20)
    window_bytes = ROOMY

    def test_for_the_queue(self) -> None:
        """A session that does not move expires when another one waits for its place: a lane would be of no help."""
        slow, moving = self.open(), self.open()
        self.read(slow, 0, 1)
        queued = self.open()
        for n in range(3):
            self.read(moving, n)
            self.pass_time(8, slow, moving, queued)
        self.assertRaises(SessionExpired, self.service.touch, slow.token)
        self.assertEqual((queued.state, moving.state), (State.ACTIVE, State.ACTIVE))


class StaggeredTests(ReadingCase):
    """Many sessions that stop reading, each at another chunk."""

    limits = Limits(max_active=50, max_queued=5, session_timeout=30, queue_timeout=60, chunk_timeout=5)
    chunks = 40
    room = 1000
    windows = 100

    def seconds(self, idle: int) -> float:
        """Return how long an honest session takes behind so many idle ones."""
        whole = snapshot(self.chunks, "debian-12", "d1")
        sessions: list[Session] = [self.open(whole) for _ in range(idle)]
        honest = self.open(whole)
        for number, session in enumerate(sessions):
            for n in range(min(number, 1) + 1):
                self.successResultOf(self.ask(session, n))
        began = self.clock.seconds()
        for n in range(self.chunks + 1):
            waiting = self.ask(honest, n)
            while not waiting.called:
                self.pass_time(1, honest, *sessions)
                self.assertLess(self.clock.seconds() - began, 600)
            self.successResultOf(waiting)
        return self.clock.seconds() - began

    def test_no_longer_than_one(self) -> None:
        """Twenty idle sessions delay an honest one no longer than one does: their time is over together."""
        one = self.seconds(1)
        self.setUp()
        twenty = self.seconds(20)
        print(f"an honest scan waits {one:.0f} s for one idle session, {twenty:.0f} s for twenty")
        self.assertLessEqual(twenty, 7)
        self.assertEqual(one, twenty)

    def test_no_room_for_lanes(self) -> None:
        """This holds too if there is no memory for lanes."""
        self.windows, self.room = 1, 30
        self.setUp()
        self.assertLessEqual(self.seconds(20), 7)


class ComersTests(ReadingCase):
    """Scanners that keep coming."""

    def test_tail_not_held_for_ever(self) -> None:
        """Scanners that keep joining at the first chunk do not hold up for ever those that are ahead."""
        quick = self.open()
        comers = [self.open()]
        self.read(quick, 0, 1)
        ahead = self.ask(quick, 2)
        for _ in range(60):
            self.pass_time(1, *comers, quick)
            if ahead.called:
                return
            comers.append(self.open())
            for session in comers[:-1]:
                if session.state is State.ACTIVE:
                    self.service.close(session.token)
                    comers.remove(session)
        self.fail("those who keep coming hold the tail for ever")
