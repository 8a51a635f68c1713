"""Tests for :mod:`patches.server.sessions.window`: those who wait."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred

from patches.server.errors import WindowClosed
from patches.server.sessions.chunk_response import ChunkResponse
from tests.server.fake_catalogue import ShelfBroken
from tests.server.window_case import WindowCase


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

    def cancel_after(self, first: Deferred[ChunkResponse], second: Deferred[ChunkResponse]) -> None:
        """Cancel one as soon as another has fired."""

        def cancel(result: object) -> object:
            second.cancel()
            return result

        first.addBoth(cancel)
