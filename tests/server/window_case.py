"""A case with a window over made-up chunks."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.server.sessions.chunk_response import MAX_RESPONSE_BYTES, ChunkResponse
from patches.server.sessions.window import Window
from tests.server.fake_catalogue import Shelf


class WindowCase(SynchronousTestCase):
    """A case with a window over six chunks that holds three at a time."""

    def setUp(self) -> None:
        self.shelf = Shelf()
        self.window = self.make_window(3)

    def make_window(self, room: int, start: int = 0) -> Window:
        """Create a window with room for some chunks of the maximum size."""
        return Window(6, start, room * MAX_RESPONSE_BYTES, lambda number: self.shelf.load("r1", number))

    def read(self, reader: str, n: int) -> ChunkResponse:
        """Read a chunk that must be available at once."""
        return self.successResultOf(self.window.read(reader, n))

    def numbers(self) -> list[int]:
        """Return the numbers of all chunks that were loaded."""
        return [number for _, number in self.shelf.asked]
