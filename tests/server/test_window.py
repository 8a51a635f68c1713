"""Tests for :mod:`patches.server.window`."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from patches.server.loaded import LARGEST_LOADED, LoadedChunk
from patches.server.window import OutOfOrder, Window, WindowClosed
from tests.server.made_up import Shelf, ShelfBroken


class WindowCase(SynchronousTestCase):
    """A case with a window over six chunks that holds three at a time."""

    def setUp(self) -> None:
        self.shelf = Shelf()
        self.window = self.make_window(3)

    def make_window(self, room: int, start: int = 0) -> Window:
        """Make a window with room for some chunks of the largest size."""
        return Window(6, start, room * LARGEST_LOADED, lambda number: self.shelf.load("r1", number))

    def read(self, reader: str, n: int) -> LoadedChunk:
        """Read what is there."""
        return self.successResultOf(self.window.read(reader, n))

    def numbers(self) -> list[int]:
        """Tell what was ever loaded."""
        return [number for _, number in self.shelf.asked]


class ReadingTests(WindowCase):
    """What readers get."""

    def test_in_order(self) -> None:
        """A reader is served every chunk, one after the other."""
        self.window.join("a", 0)
        self.assertEqual([self.read("a", n).number for n in range(6)], list(range(6)))

    def test_same_again(self) -> None:
        """Asking for the same chunk again gives the same bytes."""
        self.window.join("a", 0)
        self.assertIs(self.read("a", 0), self.read("a", 0))

    def test_shared(self) -> None:
        """All readers are served the same object, loaded once."""
        self.window.join("a", 0)
        self.window.join("b", 0)
        self.assertIs(self.read("a", 0), self.read("b", 0))
        self.assertEqual(self.numbers().count(0), 1)

    def test_ahead_waits(self) -> None:
        """A reader that is ahead waits until the slowest has moved on."""
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
        """A chunk may not be skipped, nor left out because it is still on its way."""
        self.shelf.at_once = False
        self.window.join("a", 0)
        for n in (1, 2, 6, 7):
            self.assertRaises(OutOfOrder, self.window.read, "a", n)
        waiting = self.window.read("a", 0)
        self.assertRaises(OutOfOrder, self.window.read, "a", 1)
        self.assertNoResult(waiting)

    def test_back(self) -> None:
        """A chunk that was acknowledged is gone."""
        self.window.join("a", 0)
        self.read("a", 0)
        self.read("a", 1)
        error = self.assertRaises(OutOfOrder, self.window.read, "a", 0)
        self.assertEqual((error.asked, error.at), (0, 1))

    def test_stranger(self) -> None:
        """Who has not joined is not served."""
        self.assertRaises(WindowClosed, self.window.read, "a", 0)
        self.assertRaises(WindowClosed, self.window.ready, "a", 0)
        self.assertRaises(WindowClosed, self.window.finish, "a")

    def test_finish(self) -> None:
        """A reader can finish once the last chunk was served, and only then."""
        self.window.join("a", 4)
        self.read("a", 4)
        self.assertRaises(OutOfOrder, self.window.finish, "a")
        self.read("a", 5)
        self.window.finish("a")
        self.assertEqual(self.window.tail, 6)

    def test_next_for(self) -> None:
        """The next chunk of a reader is the one it is at, until that was served."""
        self.shelf.at_once = False
        self.window.join("a", 2)
        self.assertEqual(self.window.next_for("a"), 2)
        waiting = self.window.read("a", 2)
        while not waiting.called:
            self.shelf.give()
        self.assertEqual(self.window.next_for("a"), 3)

    def test_two_requests(self) -> None:
        """Two requests of one reader for the same chunk are both answered."""
        self.shelf.at_once = False
        self.window.join("a", 0)
        both = self.window.read("a", 0), self.window.read("a", 0)
        self.shelf.give()
        self.assertIs(*map(self.successResultOf, both))


class SlidingTests(WindowCase):
    """What is held, and for how long."""

    def test_too_small(self) -> None:
        """A window that could not hold one chunk is refused."""
        self.assertRaises(ValueError, Window, 6, 0, LARGEST_LOADED - 1, self.shelf.load)

    def test_nobody(self) -> None:
        """Nothing is loaded for nobody."""
        self.assertEqual(self.shelf.asked, [])

    def test_prefetch(self) -> None:
        """It is filled ahead of its first reader, as far as there is room."""
        self.shelf.at_once = False
        self.window.join("a", 0)
        self.assertEqual(self.numbers(), [0])
        self.assertEqual(self.window.held_bytes, LARGEST_LOADED)
        self.shelf.give()
        self.assertEqual(self.numbers(), [0, 1])

    def test_late_comer(self) -> None:
        """Who needs a chunk that was dropped is not admitted."""
        self.window.join("a", 0)
        self.read("a", 0)
        self.assertTrue(self.window.admits(0))
        self.read("a", 1)
        self.assertFalse(self.window.admits(0))
        self.assertRaises(OutOfOrder, self.window.join, "b", 0)
        self.assertNotIn("b", self.window)

    def test_past_the_end(self) -> None:
        """There is no place behind the end."""
        self.assertTrue(self.window.admits(6))
        self.assertFalse(self.window.admits(7))

    def test_slow_response(self) -> None:
        """A dropped chunk counts until its bytes are out, and what comes next waits for that."""
        window = self.window = self.make_window(1)
        window.join("a", 0)
        first = self.read("a", 0)
        filler = LARGEST_LOADED - first.size
        self.assertEqual(window.held_bytes, LARGEST_LOADED - filler)
        first.hold()
        following = window.read("a", 1)
        self.assertNoResult(following)
        first.release()
        self.assertEqual(self.successResultOf(following).number, 1)

    def test_leaps_to_its_readers(self) -> None:
        """When only a reader far ahead is left, what lies between is not loaded."""
        self.shelf.at_once = False
        self.window.join("behind", 0)
        self.window.join("ahead", 5)
        waiting = self.window.read("ahead", 5)
        self.window.leave("behind")
        while not waiting.called:
            self.shelf.give()
        self.assertEqual(self.numbers(), [0, 5])

    def test_emptied(self) -> None:
        """It has ended once the last reader has left and the last byte is out."""
        self.window.join("a", 0)
        chunk = self.read("a", 0)
        chunk.hold()
        self.window.leave("a")
        self.assertNoResult(self.window.emptied)
        chunk.release()
        self.successResultOf(self.window.emptied)
        self.assertEqual(self.window.held_bytes, 0)

    def test_emptied_waits_for_loads(self) -> None:
        """It has not ended while a chunk is on its way in."""
        self.shelf.at_once = False
        self.window.join("a", 0)
        self.window.leave("a")
        self.assertNoResult(self.window.emptied)
        self.shelf.give()
        self.successResultOf(self.window.emptied)


class WaitingTests(WindowCase):
    """Those who wait are answered, whatever happens."""

    def setUp(self) -> None:
        super().setUp()
        self.shelf.at_once = False

    def test_leaving(self) -> None:
        """Who leaves waits no longer."""
        self.window.join("a", 0)
        waiting = self.window.read("a", 0)
        self.window.leave("a")
        self.failureResultOf(waiting, WindowClosed)
        self.window.leave("a")

    def test_cancelling(self) -> None:
        """Who cancels waits no longer, is still a reader, and can ask again."""
        self.window.join("a", 0)
        waiting = self.window.read("a", 0)
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)
        self.shelf.give()
        self.assertEqual(self.read("a", 0).number, 0)

    def test_failure(self) -> None:
        """Who waits is told of a failure; who asks again has the chunk loaded again."""
        self.window.join("a", 0)
        waiting = self.window.read("a", 0)
        self.shelf.fail()
        self.failureResultOf(waiting, ShelfBroken)
        self.assertEqual(len(self.flushLoggedErrors(ShelfBroken)), 1)
        self.assertEqual(self.shelf.wanted, [])
        again = self.window.read("a", 0)
        self.shelf.give()
        self.assertEqual(self.successResultOf(again).number, 0)

    def test_failure_before(self) -> None:
        """Who waits for a later chunk is told too: it will not come before somebody asks again."""
        self.window.join("a", 0)
        self.window.join("b", 2)
        ahead = self.window.read("b", 2)
        self.shelf.fail()
        self.failureResultOf(ahead, ShelfBroken)
        self.flushLoggedErrors(ShelfBroken)

    def test_one_cancels_another(self) -> None:
        """Whatever the first one does when it is served, the others are answered."""
        self.window.join("a", 0)
        self.window.join("b", 0)
        self.window.join("c", 0)
        first, second, third = (self.window.read(name, 0) for name in "abc")
        self.cancel_after(first, second)
        self.shelf.give()
        self.failureResultOf(second, CancelledError)
        self.assertEqual(self.successResultOf(third).number, 0)

    def test_one_cancels_another_on_failure(self) -> None:
        """The same when loading fails."""
        self.window.join("a", 0)
        self.window.join("b", 0)
        first, second = self.window.read("a", 0), self.window.read("b", 0)
        self.cancel_after(first, second)
        self.shelf.fail()
        self.failureResultOf(first, ShelfBroken)
        self.failureResultOf(second, CancelledError)
        self.flushLoggedErrors(ShelfBroken)

    def cancel_after(self, first: Deferred[LoadedChunk], second: Deferred[LoadedChunk]) -> None:
        """Cancel one as soon as another has fired."""

        def cancel(result: object) -> object:
            second.cancel()
            return result

        first.addBoth(cancel)
