"""Tests for :mod:`patches.server.sessions.window`."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from patches.server.errors import OutOfOrder, WindowClosed
from patches.server.sessions.chunk_response import MAX_RESPONSE_BYTES, ChunkResponse
from patches.server.sessions.window import Window
from tests.server.window_case import WindowCase


class ReadingTests(WindowCase):
    """The chunks that readers are served."""

    def test_in_order(self) -> None:
        """A reader is served each chunk in order."""
        self.window.join("a", 0)
        self.assertEqual([self.read("a", n).number for n in range(6)], list(range(6)))

    def test_same_again(self) -> None:
        """A reader that asks for the same chunk again is served the same object."""
        self.window.join("a", 0)
        self.assertIs(self.read("a", 0), self.read("a", 0))

    def test_shared(self) -> None:
        """All readers are served the same object, which is loaded once."""
        self.window.join("a", 0)
        self.window.join("b", 0)
        self.assertIs(self.read("a", 0), self.read("b", 0))
        self.assertEqual(self.numbers().count(0), 1)

    def test_ahead_waits(self) -> None:
        """A reader that is ahead waits until the slowest one has moved on."""
        window = self.window = self.make_window(1)
        window.join("fast", 0)
        window.join("slow", 0)
        self.read("fast", 0)
        ahead = window.read("fast", 1)
        self.read("slow", 0)
        self.assertNoResult(ahead)
        window.read("slow", 1)
        self.assertEqual(self.successResultOf(ahead).number, 1)

    def test_skipping(self) -> None:
        """A reader may not skip a chunk, even while that chunk is being loaded."""
        self.shelf.at_once = False
        self.window.join("a", 0)
        for n in (1, 2, 6, 7):
            self.assertRaises(OutOfOrder, self.window.read, "a", n)
        waiting = self.window.read("a", 0)
        self.assertRaises(OutOfOrder, self.window.read, "a", 1)
        self.assertNoResult(waiting)

    def test_skipping_later(self) -> None:
        """A reader may not skip a later chunk either."""
        self.shelf.at_once = False
        self.window.join("a", 0)
        self.window.read("a", 0)
        self.shelf.give()
        waiting = self.window.read("a", 1)
        self.assertRaises(OutOfOrder, self.window.read, "a", 2)
        self.shelf.give()
        self.assertEqual(self.successResultOf(waiting).number, 1)

    def test_back(self) -> None:
        """A chunk that a reader has acknowledged cannot be read again."""
        self.window.join("a", 0)
        self.read("a", 0)
        self.read("a", 1)
        error = self.assertRaises(OutOfOrder, self.window.read, "a", 0)
        self.assertEqual((error.asked, error.at), (0, 1))

    def test_stranger(self) -> None:
        """A reader that has not joined is not served."""
        self.assertRaises(WindowClosed, self.window.read, "a", 0)
        self.assertRaises(WindowClosed, self.window.read_cached, "a", 0)
        self.assertRaises(WindowClosed, self.window.finish, "a")

    def test_finish(self) -> None:
        """A reader can finish only after it was served the last chunk."""
        self.window.join("a", 4)
        self.read("a", 4)
        self.assertRaises(OutOfOrder, self.window.finish, "a")
        self.read("a", 5)
        self.window.finish("a")
        self.assertEqual(self.window.tail, 6)

    def test_next_for(self) -> None:
        """The next position of a reader is its own chunk until that chunk was served."""
        self.shelf.at_once = False
        self.window.join("a", 2)
        self.assertEqual(self.window.next_position_of("a"), 2)
        waiting = self.window.read("a", 2)
        while not waiting.called:
            self.shelf.give()
        self.assertEqual(self.window.next_position_of("a"), 3)

    def test_two_requests(self) -> None:
        """Two requests of one reader for the same chunk are both answered."""
        self.shelf.at_once = False
        self.window.join("a", 0)
        both = self.window.read("a", 0), self.window.read("a", 0)
        self.shelf.give()
        self.assertIs(*map(self.successResultOf, both))


class SlidingTests(WindowCase):
    """The chunks that are cached, and for how long."""

    def test_too_small(self) -> None:
        """A window that is too small for one chunk is refused."""
        self.assertRaises(ValueError, Window, 6, 0, MAX_RESPONSE_BYTES - 1, self.shelf.load)

    def test_nobody(self) -> None:
        """A window without readers does not load chunks."""
        self.assertEqual(self.shelf.asked, [])

    def test_prefetch(self) -> None:
        """A window loads chunks ahead of its first reader while there is room."""
        self.shelf.at_once = False
        self.window.join("a", 0)
        self.assertEqual(self.numbers(), [0])
        self.assertEqual(self.window.cached_bytes, MAX_RESPONSE_BYTES)
        self.shelf.give()
        self.assertEqual(self.numbers(), [0, 1])

    def test_late_comer(self) -> None:
        """A reader whose chunk was dropped is not admitted."""
        self.window.join("a", 0)
        self.read("a", 0)
        self.assertTrue(self.window.admits(0))
        self.read("a", 1)
        self.assertFalse(self.window.admits(0))
        self.assertRaises(OutOfOrder, self.window.join, "b", 0)
        self.assertNotIn("b", self.window)

    def test_past_the_end(self) -> None:
        """A reader is not admitted behind the end."""
        self.assertTrue(self.window.admits(6))
        self.assertFalse(self.window.admits(7))

    def test_slow_response(self) -> None:
        """A dropped chunk counts until its bytes were sent, and the next load waits for that."""
        window = self.window = self.make_window(1)
        window.join("a", 0)
        first = self.read("a", 0)
        filler = MAX_RESPONSE_BYTES - first.size
        self.assertEqual(window.cached_bytes, MAX_RESPONSE_BYTES - filler)
        first.pin()
        following = window.read("a", 1)
        self.assertNoResult(following)
        first.unpin()
        self.assertEqual(self.successResultOf(following).number, 1)

    def test_leaps_to_its_readers(self) -> None:
        """When only a reader far ahead remains, the chunks in between are not loaded."""
        self.shelf.at_once = False
        self.window.join("behind", 0)
        self.window.join("ahead", 5)
        waiting = self.window.read("ahead", 5)
        self.window.leave("behind")
        while not waiting.called:
            self.shelf.give()
        self.assertEqual(self.numbers(), [0, 5])

    def test_reader_ahead_moves_on_at_once(self) -> None:
        """A reader that asks for more as soon as the window slides does not make it slide past the others."""
        window = self.window = self.make_window(1)
        window.join("ahead", 0)
        window.join("behind", 0)
        self.read("ahead", 0)
        self.read("behind", 0)
        further: list[Deferred[ChunkResponse]] = []
        window.read("ahead", 1).addCallback(lambda _: further.append(window.read("ahead", 2)))
        self.assertEqual(self.read("behind", 1).number, 1)
        self.assertEqual((window.tail, window.head), (1, 2))
        self.assertNoResult(further[0])
        window.read("behind", 2)
        chunk = self.successResultOf(further[0])
        self.assertEqual((chunk.number, window.tail, window.cached_bytes), (2, 2, chunk.size))

    def test_emptied(self) -> None:
        """A window is emptied once its last reader has left and its last byte was sent."""
        self.window.join("a", 0)
        chunk = self.read("a", 0)
        chunk.pin()
        self.window.leave("a")
        self.assertNoResult(self.window.emptied)
        chunk.unpin()
        self.successResultOf(self.window.emptied)
        self.assertEqual(self.window.cached_bytes, 0)

    def test_emptied_waits_for_loads(self) -> None:
        """A window is not emptied while a chunk is being loaded."""
        self.shelf.at_once = False
        self.window.join("a", 0)
        self.window.leave("a")
        self.assertNoResult(self.window.emptied)
        self.shelf.give()
        self.successResultOf(self.window.emptied)
