"""Tests for :mod:`patches.server.sessions.window`: requests that wait."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred

from patches.server.errors import WindowClosed
from patches.server.sessions.chunk_response import ChunkResponse
from tests.server.fake_catalogue import ShelfBroken
from tests.server.window_case import WindowCase


class WaitingTests(WindowCase):
    """All waiting requests are answered, whatever happens."""

    def setUp(self) -> None:
        super().setUp()
        self.shelf.at_once = False

    def test_leaving(self) -> None:
        """The request of a reader that leaves fails."""
        self.window.join("a", 0)
        waiting = self.window.read("a", 0)
        self.window.leave("a")
        self.failureResultOf(waiting, WindowClosed)
        self.window.leave("a")

    def test_cancelling(self) -> None:
        """A reader whose request is cancelled remains in the window, and can ask again."""
        self.window.join("a", 0)
        waiting = self.window.read("a", 0)
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)
        self.shelf.give()
        self.assertEqual(self.read("a", 0).number, 0)

    def test_failure(self) -> None:
        """A waiting request fails with the error of the load; a new request loads the chunk again."""
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
        """A request for a later chunk fails as well, since the chunk is not loaded before the next request."""
        self.window.join("a", 0)
        self.window.join("b", 2)
        ahead = self.window.read("b", 2)
        self.shelf.fail()
        self.failureResultOf(ahead, ShelfBroken)
        self.flushLoggedErrors(ShelfBroken)

    def test_one_cancels_another(self) -> None:
        """The other requests are answered even if the first one cancels one of them."""
        self.window.join("a", 0)
        self.window.join("b", 0)
        self.window.join("c", 0)
        first, second, third = (self.window.read(name, 0) for name in "abc")
        self.cancel_after(first, second)
        self.shelf.give()
        self.failureResultOf(second, CancelledError)
        self.assertEqual(self.successResultOf(third).number, 0)

    def test_one_cancels_another_on_failure(self) -> None:
        """A failed load is reported to the other requests even if the first one cancels one of them."""
        self.window.join("a", 0)
        self.window.join("b", 0)
        first, second = self.window.read("a", 0), self.window.read("b", 0)
        self.cancel_after(first, second)
        self.shelf.fail()
        self.failureResultOf(first, ShelfBroken)
        self.failureResultOf(second, CancelledError)
        self.flushLoggedErrors(ShelfBroken)

    def cancel_after(self, first: Deferred[ChunkResponse], second: Deferred[ChunkResponse]) -> None:
        """Cancel one request as soon as another has fired."""

        def cancel(result: object) -> object:
            second.cancel()
            return result

        first.addBoth(cancel)
