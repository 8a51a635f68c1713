"""
The cache window: consecutive chunks of one list in memory, for the sessions that go through it together.

Theory of operation. A window holds the chunks ``[tail, head)``. Each session is at a position: the chunk that it asked
for last. Asking for chunk *n* acknowledges every chunk below *n*. :attr:`Window.low` is the lowest position of any
session: the chunks below it are *consumed*, by all active sessions. A consumed chunk stays until its bytes are wanted,
by this window's head or by another window, so a newcomer may still begin with it; an unconsumed chunk is never dropped.
Chunks are loaded in order, one at a time, a few ahead of the foremost session.

A window counts bytes; whether it may have them is decided by :mod:`patches.server.sessions.windows`. Nothing here does
I/O or knows the time.
"""

from __future__ import annotations

from collections import Counter

from patches.server.catalogue.delta import ReadableList
from patches.server.errors import OutOfOrder
from patches.server.sessions.chunk_response import MAX_RESPONSE_BYTES, ChunkResponse
from patches.server.sessions.session import Session

#: How many chunks are loaded ahead of the foremost session.
READ_AHEAD = 8


class Window:
    """
    A window over the chunks of one list.

    :param start: the first chunk to hold, at most.
    :param max_bytes: the number of bytes that it may hold; at least a chunk of the largest size.
    :ivar used: the bytes of its chunks: in memory, being loaded, or dropped but still being sent.
    :ivar granted: the bytes that the budget has granted for it.
    :ivar delay: the seconds for which its sessions have delayed others.
    :ivar low_delay: what that was when the lowest position last changed.
    :ivar idle_since: the time at which its last session left; ``None`` while it has sessions.
    :ivar is_private: whether it is for one slow session alone.
    :ivar is_kept: whether it holds its whole list also when nobody reads, where memory is left over.
    """

    def __init__(self, snapshot: ReadableList, start: int, max_bytes: int, is_private: bool = False) -> None:
        if max_bytes < MAX_RESPONSE_BYTES:
            raise ValueError(f"a window of {max_bytes} bytes cannot hold one chunk")
        self.snapshot = snapshot
        self.chunks = snapshot.chunks
        self.max_bytes = max_bytes
        self.is_private = is_private
        self.is_kept = False
        holds_all = self.chunks * MAX_RESPONSE_BYTES <= max_bytes and not is_private
        self.tail = self.head = self.low = 0 if holds_all else start
        self.used = self.granted = 0
        self.delay = self.low_delay = 0.0
        self.idle_since: float | None = None
        self._holds_all = holds_all
        self._lead = start
        self._loading: int | None = None
        self._stuck = False
        self._cached: dict[int, ChunkResponse] = {}
        self._sessions: dict[Session, None] = {}
        self._sessions_at: Counter[int] = Counter()
        self._asking: dict[int, dict[Session, None]] = {}

    @property
    def can_hold_all(self) -> bool:
        """Whether the list fits, and no chunk of it was dropped."""
        return self._holds_all and self.tail == 0

    @property
    def holds_all(self) -> bool:
        """Whether every chunk of the list is in memory."""
        return self.tail == 0 and len(self._cached) == self.chunks

    def holds(self, position: int) -> bool:
        """Return whether the chunk at a position is in memory; the end of the list always is."""
        return position in self._cached or position == self.chunks

    @property
    def is_empty(self) -> bool:
        """Whether no session reads it."""
        return not self._sessions

    @property
    def sessions(self) -> list[Session]:
        """The sessions that read it."""
        return list(self._sessions)

    @property
    def cached_bytes(self) -> int:
        """The bytes of the chunks in memory that can still be served."""
        return sum(chunk.size for chunk in self._cached.values())

    def admits(self, position: int) -> bool:
        """Return whether a session that needs this chunk next can get all further chunks here."""
        return not self.is_private and self.tail <= position <= self.chunks

    # Sessions

    def join(self, session: Session) -> None:
        """Add a session at its position, which must be one that is admitted."""
        self._sessions[session] = None
        self._sessions_at[session.position] += 1
        self._lead = max(self._lead, session.position)
        self.low = min(self.low, session.position) if len(self._sessions) > 1 else session.position
        self.idle_since = None
        session.delay = self.delay

    def leave(self, session: Session) -> None:
        """Remove a session, wherever it is."""
        del self._sessions[session]
        self._asking.get(session.position, {}).pop(session, None)
        self._sessions_at[session.position] -= 1
        self._advance_low()

    def move(self, session: Session, n: int) -> None:
        """
        Move a session to chunk ``n``; to the number of chunks, when it has read all.

        :raises OutOfOrder: if the chunk is neither the one at its position nor, once that was served, the next one.
        """
        at = session.position
        if n == at:
            return
        if n != at + 1 or not session.served or n > self.chunks:
            raise OutOfOrder(n, at)
        self._sessions_at[at] -= 1
        self._sessions_at[n] += 1
        session.position, session.served, session.delay = n, False, self.delay
        self._lead = max(self._lead, n)
        self._advance_low()

    def serve(self, session: Session) -> ChunkResponse | None:
        """Return the chunk at a session's position; ``None`` while it is not in memory."""
        chunk = self._cached.get(session.position)
        if chunk is not None and not session.served:
            session.served, session.delay = True, self.delay
        return chunk

    def ask(self, session: Session) -> None:
        """Note that a session asks for the chunk at its position, which is not in memory."""
        self._asking.setdefault(session.position, {})[session] = None
        self._stuck = False  # a new request retries a failed chunk

    def is_asking(self, session: Session) -> bool:
        """Return whether a session waits for its chunk."""
        return session in self._asking.get(session.position, ())

    def _advance_low(self) -> None:
        while self._sessions and self.low < self.chunks and not self._sessions_at[self.low]:
            del self._sessions_at[self.low]
            self.low += 1
            self.low_delay = self.delay

    # Chunks

    @property
    def wants_more(self) -> bool:
        """Whether the chunk at the head should be loaded now."""
        return (
            (self.is_needed or self.is_kept) and self.head < self.chunks and self._loading is None and not self._stuck
        )

    @property
    def is_needed(self) -> bool:
        """Whether a session will soon ask for the chunk at the head."""
        return bool(self._sessions) and self.head < min(self.chunks, self._lead + READ_AHEAD)

    @property
    def is_held_up(self) -> bool:
        """Whether a session asks for a chunk that is not being loaded."""
        return any(number >= self.head and asking for number, asking in self._asking.items())

    @property
    def has_consumed(self) -> bool:
        """Whether it holds chunks that no session needs."""
        return self.tail < min(self.low, self.head) and self._loading != self.tail

    def keep(self, is_kept: bool) -> None:
        """Hold the whole list from now on, or no longer; a chunk that could not be loaded is tried again."""
        self.is_kept = is_kept and self.can_hold_all
        if self.is_kept and self.is_empty:
            self._stuck = False

    def begin_load(self) -> int:
        """Return the number of the chunk to load next; its size counts as the largest until it is known."""
        self._loading, self.head = self.head, self.head + 1
        self.used += MAX_RESPONSE_BYTES
        return self._loading

    def end_load(self, chunk: ChunkResponse | None) -> tuple[Session, ...]:
        """
        Take the chunk that was loaded.

        :param chunk: ``None`` if it could not be loaded: then it is tried again when a session asks for it.
        :return: the sessions that ask for it; if it failed, all that ask, as no later chunk can be loaded.
        """
        assert self._loading is not None  # noqa: S101 - a load was begun
        number, self._loading = self._loading, None
        self.used -= MAX_RESPONSE_BYTES
        if chunk is None:
            self._stuck, self.head = True, number
            asking, self._asking = self._asking, {}
            return tuple(session for sessions in asking.values() for session in sessions)
        self.used += chunk.size
        self._cached[number] = chunk
        return tuple(self._asking.pop(number, ()))

    def drop_tail(self) -> ChunkResponse | None:
        """Drop the chunk at the tail; return it if it was in memory. Its bytes count until they are freed."""
        chunk = self._cached.pop(self.tail, None)
        self.tail += 1
        return chunk

    @property
    def is_behind(self) -> bool:
        """Whether every session needs a later chunk than the next one that it would load."""
        return self.head < self.low and not self._holds_all

    def skip_ahead(self) -> None:
        """Continue at the first chunk that a session needs, once all chunks are dropped."""
        self.tail = self.head = self.low
