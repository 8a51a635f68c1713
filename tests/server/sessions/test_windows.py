"""Tests for :mod:`patches.server.sessions.window` and :mod:`patches.server.sessions.windows`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.server.budget import WINDOW
from patches.server.catalogue.snapshot import Snapshot
from patches.server.errors import OutOfOrder
from patches.server.sessions.chunk_response import MAX_RESPONSE_BYTES, ChunkResponse
from patches.server.sessions.events import Dropped, Event, Load
from patches.server.sessions.session import Session
from patches.server.sessions.window import READ_AHEAD, Window
from patches.server.sessions.windows import MOST_WINDOWS, Windows
from patches.service.budget import CONNECTIONS, Budget
from tests.server.fake_catalogue import blank, snapshot


class WindowsCase(SynchronousTestCase):
    """Windows of three chunks of the largest size, with memory for five."""

    size = 3
    memory = 5

    def setUp(self) -> None:
        self.budget = Budget(self.memory * MAX_RESPONSE_BYTES)
        self.windows = Windows(self.budget, self.size * MAX_RESPONSE_BYTES, 10.0)
        self.loads: list[Load] = []
        self.list = snapshot(6, "debian-12", "d1")
        self.number = 0

    def session(self, position: int = 0, what: Snapshot | None = None) -> Session:
        """Create a session, and let it join a window if there is one."""
        self.number += 1
        session = Session(f"{self.number}", what or self.list, "", position, 0.0, 0.0)
        self.follow(self.windows.place(session))
        return session

    def follow(self, events: list[Event]) -> list[Event]:
        """Load every chunk that is wanted, with the largest size. Return the other events."""
        others = []
        while events:
            event, *events = events
            if isinstance(event, Load):
                self.loads.append(event)
                _, more = self.windows.end_load(event.window, blank(event.number))
                events += more
            else:
                others.append(event)
        return others

    def read(self, session: Session, n: int) -> ChunkResponse | None:
        """Move a session to a chunk. Return the chunk if it is in memory then."""
        window = session.window
        assert window is not None
        window.move(session, n)
        if window.serve(session) is None:
            window.ask(session)
        self.follow(self.windows.fill(window))
        return window.serve(session)

    def numbers(self) -> list[int]:
        """Return the numbers of the chunks that were loaded."""
        return [load.number for load in self.loads]

    def window(self, session: Session) -> Window:
        """Return the window of a session."""
        assert session.window is not None
        return session.window


class ReadingTests(WindowsCase):
    """The chunks that sessions are served."""

    def test_in_order(self) -> None:
        """A session is served each chunk in order, and the same object again."""
        session = self.session()
        for n in range(6):
            chunk = self.read(session, n)
            assert chunk is not None
            self.assertEqual(chunk.number, n)
            self.assertIs(self.read(session, n), chunk)
        self.assertEqual(self.numbers(), list(range(6)))

    def test_out_of_turn(self) -> None:
        """A session may neither skip a chunk, nor go back, nor go past the end."""
        session = self.session()
        window = self.window(session)
        for n in (1, 2, 6, 7):
            error = self.assertRaises(OutOfOrder, window.move, session, n)
            self.assertEqual((error.asked, error.at), (n, 0))
        self.read(session, 0)
        self.read(session, 1)
        self.assertRaises(OutOfOrder, window.move, session, 0)
        self.assertEqual((session.position, session.served), (1, True))

    def test_refused_is_not_served(self) -> None:
        """A chunk that was refused to a session does not count as served to it."""
        session = self.session()
        self.assertRaises(OutOfOrder, self.window(session).move, session, 1)
        self.assertEqual((session.position, session.served), (0, False))

    def test_read_ahead(self) -> None:
        """A window with room for more loads a few chunks ahead of its foremost session, and no others."""
        self.windows = Windows(Budget(1 << 30), 1 << 30, 10.0)
        session = self.session(what=snapshot(100))
        self.assertEqual(self.numbers(), list(range(READ_AHEAD)))
        for n in range(5):
            self.read(session, n)
        self.assertEqual(len(self.loads), READ_AHEAD + 4)

    def test_failure(self) -> None:
        """After a load failed it is not tried again before somebody asks."""
        session = Session("s", self.list, "", 0, 0.0, 0.0)
        (load,) = self.windows.place(session)
        assert isinstance(load, Load)
        load.window.ask(session)
        self.assertEqual(self.windows.end_load(load.window, None), ((session,), []))
        load.window.ask(session)
        self.assertEqual(self.windows.fill(load.window), [load])

    def test_too_small(self) -> None:
        """A window that is too small for one chunk is refused."""
        self.assertRaises(ValueError, Window, self.list, 0, MAX_RESPONSE_BYTES - 1)

    def test_no_chunks(self) -> None:
        """A list without chunks has a window, too."""
        session = self.session(what=snapshot(0))
        self.assertEqual(self.budget.used[WINDOW], MAX_RESPONSE_BYTES)
        self.window(session).move(session, 0)


class SlidingTests(WindowsCase):
    """The chunks that stay, and for how long."""

    def test_consumed_stays(self) -> None:
        """A chunk that all sessions have consumed stays until its bytes are wanted, so a newcomer joins."""
        whole = snapshot(3, "debian-12", "d3")
        first = self.session(what=whole)
        for n in range(3):
            self.read(first, n)
        self.assertIs(self.session(what=whole).window, first.window)

    def test_dropped_for_the_head(self) -> None:
        """The tail goes when the head needs its bytes, and not before all sessions have consumed it."""
        slow, quick = self.session(), self.session()
        self.read(slow, 0)
        for n in range(3):
            self.assertIsNotNone(self.read(quick, n))
        window = self.window(quick)
        self.assertIsNone(self.read(quick, 3))
        self.assertTrue(self.windows.is_starved(window))
        self.assertTrue(window.is_held_up)
        self.assertEqual((window.tail, window.head), (0, 3))
        self.read(slow, 1)
        self.assertEqual((window.tail, window.head), (1, 4))
        self.assertIsNotNone(self.read(quick, 3))

    def test_late_comer(self) -> None:
        """A session whose chunk was dropped is not admitted."""
        first = self.session()
        for n in range(4):
            self.read(first, n)
        late = self.session()
        self.assertIsNone(late.window)
        self.windows.leave(first, 1.0)
        self.assertIsNotNone(self.session().window)

    def test_another_window(self) -> None:
        """With memory for a whole window, a late-comer does not wait for those that read."""
        self.memory = 9
        self.setUp()
        first = self.session()
        for n in range(4):
            self.read(first, n)
        late = self.session()
        self.assertIsNotNone(late.window)
        self.assertIsNot(late.window, first.window)
        self.assertEqual(len(self.windows), 2)

    def test_not_too_many_windows(self) -> None:
        """A list has some windows at most, however much memory there is: those that come later wait."""
        self.memory = 100
        self.setUp()
        found = []
        for _ in range(MOST_WINDOWS + 2):
            session = self.session()
            found.append(session.window is not None)
            for n in range(4 if found[-1] else 0):
                self.read(session, n)
        self.assertEqual(found, [True] * MOST_WINDOWS + [False] * 2)

    def test_skips_what_nobody_needs(self) -> None:
        """When only a session far ahead remains, the chunks in between are not loaded."""
        session = self.session(5, snapshot(20))
        behind, ahead = self.session(5, session.snapshot), self.session(15, session.snapshot)
        self.loads.clear()
        for each in (session, behind):
            self.follow(self.windows.leave(each, 1.0))
        self.read(ahead, 15)
        self.assertEqual(self.numbers()[0], 15)

    def test_slow_response(self) -> None:
        """A dropped chunk counts until its bytes were sent, and the next load waits for that."""
        self.size, self.memory = 1, 1
        self.setUp()
        session = self.session()
        chunk = self.read(session, 0)
        assert chunk is not None
        chunk.pin()
        window = self.window(session)
        window.move(session, 1)
        window.ask(session)
        self.assertEqual(self.follow(self.windows.fill(window)), [Dropped(window, chunk)])
        self.assertEqual((window.used, self.windows.is_starved(window)), (MAX_RESPONSE_BYTES, True))
        chunk.unpin()
        self.follow(self.windows.freed(window, chunk.size))
        self.assertEqual(self.numbers(), [0, 1])


class MemoryTests(WindowsCase):
    """Windows that compete for memory."""

    def test_idle_windows_go_first(self) -> None:
        """A window that nobody reads keeps its chunks, and is closed when another one needs the memory."""
        first = self.session()
        self.read(first, 0)
        window = self.window(first)
        self.follow(self.windows.leave(first, 1.0))
        self.assertEqual(window.cached_bytes, 3 * MAX_RESPONSE_BYTES)
        second = self.session(what=snapshot(3, "alpine-3.20", "a1"))
        self.assertEqual([self.window(second)], list(self.windows))
        self.assertEqual(self.budget.used[WINDOW], 3 * MAX_RESPONSE_BYTES)

    def test_consumed_chunks_of_others(self) -> None:
        """A window that needs memory takes that of consumed chunks of another one, and of no others."""
        first = self.session(what=snapshot(3, "debian-12", "d3"))
        for n in range(3):
            self.read(first, n)
        tail = self.window(first).tail
        other = self.session(what=snapshot(3, "alpine-3.20", "a1"))
        self.assertGreater(self.window(first).tail, tail)
        self.assertLessEqual(self.window(first).tail, first.position)
        self.assertIsNotNone(self.read(other, 0))

    def test_freed_for_another(self) -> None:
        """When a chunk of one window was sent at last, its memory goes to another one that has waited for it."""
        self.memory = 3
        self.setUp()
        first = self.session(what=snapshot(2, "debian-12", "d2"))
        chunk = self.read(first, 0)
        assert chunk is not None
        chunk.pin()
        self.read(first, 1)
        other = self.session(what=snapshot(2, "alpine-3.20", "a2"))
        self.assertTrue(self.windows.is_starved(self.window(other)))
        chunk.unpin()
        self.loads.clear()
        self.follow(self.windows.freed(self.window(first), chunk.size))
        self.assertEqual([(load.window, load.number) for load in self.loads], [(self.window(other), 1)])

    def test_reclaimed(self) -> None:
        """Other purposes get the memory of what no session needs."""
        session = self.session(what=snapshot(3, "debian-12", "d3"))
        for n in range(3):
            self.read(session, n)
        self.budget.reclaim = lambda purpose, size: self.assertFalse(
            any(isinstance(event, Load) for event in self.windows.reclaim(purpose, size))
        )
        self.assertTrue(self.budget.take(CONNECTIONS, 4 * MAX_RESPONSE_BYTES))
        self.assertFalse(self.budget.take(CONNECTIONS, MAX_RESPONSE_BYTES))
        self.assertIsNotNone(self.window(session).serve(session))

    def test_in_line(self) -> None:
        """Memory is granted first to the list that was refused it first; one that no longer waits delays nobody."""
        self.memory = 1
        self.setUp()
        first = self.session()
        lists = [snapshot(3, "alpine-3.20", "a1"), snapshot(3, "rocky-9", "r1")]
        self.assertEqual([self.session(what=each).window for each in lists], [None, None])
        self.assertTrue(self.windows.is_short_of_memory)
        self.follow(self.windows.leave(first, 1.0))
        self.assertIsNone(self.session(what=lists[1]).window)
        self.windows.keep_waiting_only({"r1"})
        self.assertIsNotNone(self.session(what=lists[1]).window)

    def test_lane(self) -> None:
        """A session in a lane delays nobody, reads on from there, and the lane ends with it."""
        slow, quick = self.session(), self.session()
        self.read(slow, 0)
        self.follow(self.windows.move_apart(slow, 1.0))
        private = self.window(slow)
        self.assertTrue(private.is_private)
        self.assertFalse(private.admits(0))
        for n in range(6):
            self.assertIsNotNone(self.read(quick, n))
        for n in range(1, 6):
            self.assertIsNotNone(self.read(slow, n))
            self.assertLessEqual(private.used, MAX_RESPONSE_BYTES)
        self.follow(self.windows.leave(slow, 2.0))
        self.assertNotIn(private, list(self.windows))
        self.assertEqual(private.granted, 0)

    def test_closed_while_loading(self) -> None:
        """A chunk that arrives for a window that was closed meanwhile takes no memory."""
        session = Session("s", self.list, "", 0, 0.0, 0.0)
        (load,) = self.windows.place(session)
        assert isinstance(load, Load)
        self.windows.leave(session, 1.0)
        self.windows.close_idle(2.0)
        self.assertEqual(self.budget.used[WINDOW], MAX_RESPONSE_BYTES)
        self.windows.end_load(load.window, blank(0))
        self.assertEqual(self.budget.used[WINDOW], 0)


class KeptListsTests(WindowsCase):
    """Lists that are kept in memory when nobody reads them; all that is granted is twice what they have."""

    size = 6
    memory = 24

    def keep(self, *lists: Snapshot) -> None:
        """Keep lists."""
        self.follow(self.windows.keep(lists, 0.0))

    def test_whole(self) -> None:
        """A list is loaded whole before anybody reads it; who reads it needs no load."""
        self.keep(self.list)
        self.assertEqual(self.numbers(), list(range(6)))
        self.assertEqual(self.windows.find_held("d1"), self.list)
        session = self.session()
        self.assertEqual([self.read(session, n) is not None for n in range(6)], [True] * 6)
        self.assertEqual((len(self.loads), len(self.windows)), (6, 1))

    def test_stays(self) -> None:
        """It stays whole however long nobody reads, until another list is the current one."""
        self.keep(self.list)
        self.assertEqual(self.windows.close_idle(1e9), [])
        newer = snapshot(5, "debian-12", "d2")
        self.keep(newer)
        self.follow(self.windows.close_idle(1e9))
        self.assertEqual((self.windows.find_held("d1"), self.windows.find_held("d2")), (None, newer))

    def test_read_already(self) -> None:
        """The rest of a list that a session reads is loaded too, in the same window."""
        self.windows.max_bytes = 12 * MAX_RESPONSE_BYTES
        long = snapshot(12, "debian-12", "d1")
        self.session(0, long)
        self.assertEqual(self.numbers(), list(range(READ_AHEAD)))
        self.keep(long)
        self.assertEqual((self.numbers(), len(self.windows)), (list(range(12)), 1))

    def test_yields(self) -> None:
        """Its memory is for whoever wants it; it is not loaded again before half of all memory is free."""
        self.keep(self.list)
        self.assertTrue(self.budget.take(CONNECTIONS, 18 * MAX_RESPONSE_BYTES))
        self.follow(self.windows.reclaim(CONNECTIONS, 6 * MAX_RESPONSE_BYTES))
        self.assertEqual((len(self.windows), self.budget.used[WINDOW]), (0, 0))
        self.keep(self.list)
        self.assertEqual(len(self.windows), 0)
        self.budget.release(CONNECTIONS, 18 * MAX_RESPONSE_BYTES)
        self.keep(self.list)
        self.assertEqual(self.windows.find_held("d1"), self.list)

    def test_too_large(self) -> None:
        """A list that does not fit in a window, and an empty one, are not kept."""
        self.keep(snapshot(7, "debian-12", "d1"), snapshot(0, "alpine-3.20", "a1"))
        self.assertEqual((self.loads, len(self.windows)), ([], 0))

    def test_failed_load(self) -> None:
        """A chunk that could not be loaded is tried again at the next look."""
        (load,) = (event for event in self.windows.keep([self.list], 0.0) if isinstance(event, Load))
        self.assertEqual(self.windows.end_load(load.window, None), ((), []))
        self.assertIsNone(self.windows.find_held("d1"))
        self.keep(self.list)
        self.assertEqual(self.windows.find_held("d1"), self.list)

    def test_position(self) -> None:
        """A session can be resumed while its next chunk is in memory, though others are not."""
        self.windows.max_bytes = 3 * MAX_RESPONSE_BYTES
        session = self.session()
        for n in range(5):
            self.read(session, n)
        held = [n for n in range(7) if self.windows.find_held("d1", n) is not None]
        self.assertEqual(held, [3, 4, 5, 6])
        self.assertIsNone(self.windows.find_held("d1"))
        self.assertIsNone(self.windows.find_held("other", 0))
