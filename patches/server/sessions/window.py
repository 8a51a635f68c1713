"""
The cache window: consecutive chunks of one snapshot in memory, for the readers that go through it together.

Theory of operation. A window holds the chunks ``[tail, head)``. Each reader is *at* a chunk: the one it asked for last.
Asking for chunk *n* acknowledges every chunk below *n*, so a reader may ask again for the chunk it is at (the response
was lost), or for the next one once it was served. The tail is the lowest chunk that any reader is at: when the last
reader moves on, the chunk is dropped, and its room is filled from the catalogue. A reader that is ahead of the head
waits: its Deferred fires when the window slides there. A dropped chunk whose bytes are still being written to a socket
counts against the window's bytes until they are written.

Everything here is pure except for the Deferreds; time, sessions and their limits belong to
:mod:`patches.server.sessions.sessions`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable
from itertools import chain
from typing import Any

from attrs import define
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from patches.server.errors import CatalogueError, OutOfOrder, WindowClosed
from patches.server.sessions.chunk_response import MAX_RESPONSE_BYTES, ChunkResponse

log = Logger()


@define(eq=False)
class _Reader:
    at: int
    served: bool = False


class Window:
    """
    A sliding window over the chunks of one snapshot.

    It is created for its first readers, and ends with the last one: :attr:`emptied` fires then, once it holds no bytes.

    :param chunks: the number of chunks of the snapshot.
    :param start: the first chunk to hold.
    :param max_bytes: the number of bytes that it may hold; at least a chunk of the largest size.
    :param load: reads a chunk from the catalogue.
    :param name: the name of the snapshot in the log.
    """

    def __init__(
        self,
        chunks: int,
        start: int,
        max_bytes: int,
        load: Callable[[int], Deferred[ChunkResponse]],
        name: str = "a snapshot",
    ) -> None:
        if max_bytes < MAX_RESPONSE_BYTES:
            raise ValueError(f"a window of {max_bytes} bytes cannot hold one chunk")
        self.chunks = chunks
        self.tail = start
        self.head = start
        self.cached_bytes = 0
        self.emptied: Deferred[None] = Deferred()
        self._max_bytes = max_bytes
        self._load = load
        self._name = name
        self._loading = self._filling = self._stuck = False
        self._cached: dict[int, ChunkResponse] = {}
        self._readers: dict[Hashable, _Reader] = {}
        self._readers_at: Counter[int] = Counter()
        self._waiting: dict[int, list[tuple[Hashable, Deferred[ChunkResponse]]]] = {}

    def __len__(self) -> int:
        return len(self._readers)

    def __contains__(self, reader: Hashable) -> bool:
        return reader in self._readers

    def admits(self, position: int) -> bool:
        """Return whether a reader that needs this chunk next can get all further chunks here."""
        return self.tail <= position <= self.chunks

    @property
    def has_readers_ahead(self) -> bool:
        """Whether there are readers ahead of the tail."""
        return self._readers_at[self.tail] < len(self._readers)

    def join(self, reader: Hashable, position: int) -> None:
        """
        Add a reader at the chunk that it needs next.

        :raises OutOfOrder: if the window has slid past that chunk, or the snapshot has no such chunk.
        """
        if not self.admits(position):
            raise OutOfOrder(position, self.tail)
        self._readers[reader] = _Reader(position)
        self._readers_at[position] += 1
        self._fill()

    def leave(self, reader: Hashable) -> None:
        """Remove a reader, wherever it is; what it waits for fails with :exc:`WindowClosed`."""
        gone = self._readers.pop(reader, None)
        if gone is None:
            return
        self._readers_at[gone.at] -= 1
        mine = [waiting for who, waiting in self._waiting.get(gone.at, []) if who == reader]
        for waiting in mine:
            self._forget(gone.at, waiting)
        self._slide()
        # Last, when the window is consistent: the callbacks may ask for chunks or leave.
        for waiting in mine:
            waiting.errback(WindowClosed())

    def next_position_of(self, reader: Hashable) -> int:
        """Return the next chunk of a reader: the one it is at, unless that was served."""
        place = self._readers[reader]
        return place.at + place.served

    def read_cached(self, reader: Hashable, n: int) -> ChunkResponse | None:
        """
        Serve chunk ``n`` if the window holds it.

        :return: the chunk, or ``None`` while the window does not hold it; either way the reader is at ``n`` from now
            on.
        :raises OutOfOrder: if chunk ``n`` is out of this reader's turn.
        :raises WindowClosed: if it is not a reader of this window.
        """
        place = self._move(reader, n)
        loaded = self._cached.get(n)
        if loaded is not None:
            place.served = True
        elif n < self.chunks:
            self._stuck = False  # a new request retries a failed chunk
            self._fill()
        return loaded

    def read(self, reader: Hashable, n: int) -> Deferred[ChunkResponse]:
        """
        Serve chunk ``n``, waiting until the window holds it.

        :return: fires with the chunk; cancel it to stop waiting. It fails with :exc:`WindowClosed` when the reader
            leaves, or with the error of the catalogue.
        :raises OutOfOrder: as :meth:`read_cached`; likewise :exc:`WindowClosed`.
        """
        self._move(reader, n)
        # Registered before it is known whether there is a wait: read_cached may load the chunk at once, and _loaded
        # then fires this very Deferred.
        waiting: Deferred[ChunkResponse] = Deferred(lambda gone: self._forget(n, gone))
        self._waiting.setdefault(n, []).append((reader, waiting))
        loaded = self.read_cached(reader, n)
        if loaded is not None and not waiting.called:
            self._forget(n, waiting)
            waiting.callback(loaded)
        return waiting

    def finish(self, reader: Hashable) -> None:
        """
        Acknowledge every chunk for a reader.

        :raises OutOfOrder: if it was not served the last chunk; likewise :exc:`WindowClosed`.
        """
        self._move(reader, self.chunks)

    def _move(self, reader: Hashable, n: int) -> _Reader:
        place = self._readers.get(reader)
        if place is None:
            raise WindowClosed()
        if n == place.at:
            return place
        if n != place.at + 1 or not place.served or n > self.chunks:
            raise OutOfOrder(n, place.at)
        self._readers_at[place.at] -= 1
        self._readers_at[n] += 1
        place.at, place.served = n, False
        self._slide()
        return place

    def _slide(self) -> None:
        start = self.tail
        while self._readers and self.tail < self.chunks and not self._readers_at[self.tail]:
            del self._readers_at[self.tail]
            self.tail += 1
        self.head = max(self.head, self.tail)
        # Dropped last, when tail and head are right: the room may be filled at once, and the callbacks of readers that
        # waited for that come back here. They may also drop chunks of this list.
        for number in range(start, self.tail) if self._readers else list(self._cached):
            self._drop(number)
        self._fill()
        self._end_if_empty()

    def _drop(self, number: int) -> None:
        loaded = self._cached.pop(number, None)
        if loaded is not None:
            loaded.when_unpinned(lambda: self._freed(loaded.size))

    def _freed(self, size: int) -> None:
        self.cached_bytes -= size
        self._fill()
        self._end_if_empty()

    def _end_if_empty(self) -> None:
        if not self._readers and not self.cached_bytes and not self.emptied.called:
            self.emptied.callback(None)

    def _wants_more(self) -> bool:
        room = self.cached_bytes + MAX_RESPONSE_BYTES <= self._max_bytes
        return bool(self._readers) and room and self.head < self.chunks and not self._loading and not self._stuck

    def _fill(self) -> None:
        """Load the next chunks, one at a time, while there is room and a reader that will read them."""
        # A load may end at once and come back here through _loaded: the loop below goes on then, without recursion.
        if self._filling:
            return
        self._filling = True
        while self._wants_more():
            number, self.head = self.head, self.head + 1
            self._loading = True
            self.cached_bytes += MAX_RESPONSE_BYTES  # the size is not known before it is loaded
            self._load(number).addCallbacks(self._loaded, self._failed, (number,), {}, (number,), {})
        self._filling = False

    def _loaded(self, loaded: ChunkResponse, number: int) -> None:
        self._loading = False
        self.cached_bytes += loaded.size - MAX_RESPONSE_BYTES
        self._cached[number] = loaded
        waiting = self._waiting.pop(number, [])
        for reader, _ in waiting:
            self._readers[reader].served = True
        if not self._readers or number < self.tail:
            self._drop(number)
        self._fill()
        self._end_if_empty()
        # Fired last, when the window is consistent. One of these callbacks may cancel or answer another's request.
        for _, deferred in waiting:
            if not deferred.called:
                deferred.callback(loaded)

    def _failed(self, failure: Failure, number: int) -> None:
        """Fail all Deferreds that wait: they cannot make progress. The next reader that asks causes another try."""
        about: dict[str, Any] = {"number": number, "name": self._name}
        if failure.check(CatalogueError):
            log.error("Chunk {number} of {name} could not be read: {error}", error=failure.value, **about)
        else:
            log.failure("Chunk {number} of {name} could not be read from the catalogue", failure=failure, **about)
        # Stuck until a reader asks again: otherwise a failing catalogue would be asked in an endless loop.
        self._loading, self._stuck = False, True
        self.cached_bytes -= MAX_RESPONSE_BYTES
        self.head = max(number, self.tail)
        waiting, self._waiting = self._waiting, {}  # swapped before they are fired: callbacks may add new waiters
        self._end_if_empty()
        for _, deferred in chain.from_iterable(waiting.values()):
            if not deferred.called:
                deferred.errback(failure)

    def _forget(self, number: int, gone: Deferred[ChunkResponse]) -> None:
        others = [(reader, waiting) for reader, waiting in self._waiting.pop(number, []) if waiting is not gone]
        if others:
            self._waiting[number] = others
