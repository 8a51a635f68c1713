"""
The windows that are open, and the memory that each of them has.

A list that is read has one window; another one, where that has slid on and there is room for a whole one; and windows
of one chunk, *private* ones, for sessions that would delay others. Each is granted a chunk of the largest size when it
is opened, so it can always go on, and more as it grows. Where the budget has nothing left, windows that nobody reads
are closed first, the one that was left first before others; then consumed chunks are dropped. A list that was refused
memory keeps its place in line: until the first in that line has a window, no other list gets a new one.

Current lists that fit are *kept*: loaded whole, and held when nobody reads, so that scanners are served while the
catalogue cannot be read. Only memory that is left over is used for that, and it is given up like that of any window
that nobody reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set

from patches.server.budget import WINDOW
from patches.server.catalogue.delta import ReadableList
from patches.server.sessions.chunk_response import MAX_RESPONSE_BYTES, ChunkResponse
from patches.server.sessions.events import Dropped, Event, Load
from patches.server.sessions.session import Session
from patches.server.sessions.window import Window
from patches.service.budget import Budget

#: What a window is granted when it is opened: it can hold one chunk, whatever happens.
FLOOR_BYTES = MAX_RESPONSE_BYTES
#: How many windows a list may have, besides those of single sessions: each reads the catalogue by itself.
MOST_WINDOWS = 8
#: The part of all granted bytes that stays free when chunks are loaded for which nobody waits.
SPARE_PART = 0.5


class Windows:
    """
    All windows, and the line for memory. Every method that changes one returns what followed.

    :param max_bytes: the number of bytes that one window may hold.
    :param patience: the seconds for which sessions may still join those that delay others.
    """

    def __init__(self, budget: Budget, max_bytes: int, patience: float) -> None:
        self.max_bytes = max_bytes
        self._budget = budget
        self._patience = patience
        self._windows: dict[Window, int] = {}  # with the bytes that each of them keeps
        self._of_list: dict[str, list[Window]] = {}
        self._starved: dict[Window, None] = {}
        self._refused: dict[str, None] = {}

    def __len__(self) -> int:
        return len(self._windows)

    def __iter__(self) -> Iterator[Window]:
        return iter(list(self._windows))

    # Sessions

    def place(self, session: Session) -> list[Event]:
        """Add a session to a window, which is opened if needed; it has none if there is none for it now."""
        events: list[Event] = []
        window = self._find(session)
        if window is None:
            window = self._open(session, events)
        if window is not None:
            self._join(window, session, events)
        return events

    def move_apart(self, session: Session, now: float) -> list[Event]:
        """Move a session to a window of its own, for one chunk; it stays where it is if there is no memory for that."""
        events: list[Event] = []
        if self._take(FLOOR_BYTES, events):
            private = self._create(session.snapshot, session.position, FLOOR_BYTES, is_private=True)
            events += self.leave(session, now)
            self._join(private, session, events)
        return events

    def leave(self, session: Session, now: float) -> list[Event]:
        """Remove a session from its window; a window that is empty stays, with its chunks, until these are wanted."""
        window, session.window = session.window, None
        assert window is not None  # noqa: S101 - an active session has one
        window.leave(session)
        if not window.is_empty:
            return self.fill(window)
        window.idle_since = now
        self._starved.pop(window, None)
        return self._close(window) + self._refill() if window.is_private else []

    def _join(self, window: Window, session: Session, events: list[Event]) -> None:
        window.join(session)
        session.window = window
        events += self.fill(window)

    # Chunks

    def fill(self, window: Window) -> list[Event]:
        """Load the next chunk of a window, if it wants one and there is room."""
        if not window.wants_more or not (window.is_needed or self._has_spare(MAX_RESPONSE_BYTES)):
            return []
        events: list[Event] = []
        if window.is_behind:
            self._drop_all(window, events)
            window.skip_ahead()
            if not window.wants_more:
                return events
        if self._make_room(window, events):
            self._starved.pop(window, None)
            events.append(Load(window, window.begin_load()))
        else:
            self._starved[window] = None
        return events

    def end_load(self, window: Window, chunk: ChunkResponse | None) -> tuple[tuple[Session, ...], list[Event]]:
        """Take a chunk that was loaded, or ``None``. Return the sessions that ask for it, and what followed."""
        sessions = window.end_load(chunk if window in self._windows else None)
        self._settle(window)
        return sessions, self.fill(window) + self._refill()

    def freed(self, window: Window, size: int) -> list[Event]:
        """Release the bytes of a dropped chunk, which are now sent."""
        window.used -= size
        self._settle(window)
        return self.fill(window) + self._refill()

    def is_starved(self, window: Window) -> bool:
        """Return whether a window has no room for the next chunk."""
        return window in self._starved

    # Memory

    @property
    def is_short_of_memory(self) -> bool:
        """Whether any list waits for the memory of a window."""
        return bool(self._refused)

    def keep_waiting_only(self, revisions: Set[str]) -> None:
        """Remove all lists but these from the line for memory."""
        for revision in self._refused.keys() - revisions:
            del self._refused[revision]

    def reclaim(self, purpose: str, size: int) -> list[Event]:
        """Drop what no session needs, until the budget could grant this many bytes for another purpose."""
        events: list[Event] = []
        while self._budget.free(purpose) < size and (self._close_idle(events) or self._drop_consumed(events)):
            pass
        return events

    def keep(self, lists: Iterable[ReadableList], now: float) -> list[Event]:
        """Keep these lists in memory from now on, and no others; where memory is left over, load what is missing."""
        kept = {each.revision: each for each in lists}
        events: list[Event] = []
        for window in self:
            window.keep(window.snapshot.revision in kept)
        for revision, snapshot in kept.items():
            windows = [window for window in self._of_list.get(revision, ()) if window.is_kept]
            if not windows and self._is_room_to_keep(snapshot) and self._take(FLOOR_BYTES, events):
                window = self._create(snapshot, 0, FLOOR_BYTES)
                window.idle_since = now
                window.keep(True)
                self._of_list.setdefault(revision, []).append(window)
                windows = [window]
            events += [event for window in windows for event in self.fill(window)]
        return events

    def find_held(self, revision: str, position: int | None = None) -> ReadableList | None:
        """
        Return a list that can be read without the catalogue.

        :param position: where a session will read on; ``None``: all chunks are wanted.
        """
        for window in self._of_list.get(revision, ()):
            if window.holds_all if position is None else window.admits(position) and window.holds(position):
                return window.snapshot
        return None

    def _is_room_to_keep(self, snapshot: ReadableList) -> bool:
        most = snapshot.chunks * MAX_RESPONSE_BYTES
        is_first = snapshot.revision not in self._of_list
        return 0 < most <= self.max_bytes and is_first and not self._refused and self._has_spare(most)

    def _has_spare(self, size: int) -> bool:
        return self._budget.free(WINDOW) - size >= self._budget.limit * SPARE_PART

    def close_idle(self, before: float) -> list[Event]:
        """Close the windows that were left before a time, but for those that are kept."""
        events: list[Event] = []
        for window in self:
            if window.idle_since is not None and window.idle_since < before and not window.is_kept:
                events += self._close(window)
        return events

    def _find(self, session: Session) -> Window | None:
        for window in self._of_list.get(session.revision, ()):
            late = self.is_starved(window) and window.delay - window.low_delay > self._patience
            if window.admits(session.position) and (session.position > window.low or not late):
                return window
        return None

    def _open(self, session: Session, events: list[Event]) -> Window | None:
        revision = session.revision
        others = self._of_list.get(revision, [])
        for window in [window for window in others if window.is_empty]:
            events += self._close(window)  # it has no chunk for this session
        size = min(self.max_bytes, max(session.snapshot.chunks, 1) * MAX_RESPONSE_BYTES) if others else FLOOR_BYTES
        is_enough = len(others) >= MOST_WINDOWS or self._refused or self._budget.free(WINDOW) < size
        if others and is_enough:
            return None  # they wait for those that read it now
        if next(iter(self._refused), revision) != revision or not self._take(size, events):
            self._refused.setdefault(revision)
            return None
        self._refused.pop(revision, None)
        window = self._create(session.snapshot, session.position, size)
        self._of_list.setdefault(revision, []).append(window)
        return window

    def _create(self, snapshot: ReadableList, start: int, kept: int, is_private: bool = False) -> Window:
        window = Window(snapshot, start, FLOOR_BYTES if is_private else self.max_bytes, is_private)
        window.granted = kept
        self._windows[window] = kept
        return window

    def _close(self, window: Window) -> list[Event]:
        events: list[Event] = []
        del self._windows[window]
        self._starved.pop(window, None)
        same = self._of_list.get(window.snapshot.revision, [])
        if window in same:
            same.remove(window)
        if not same:
            self._of_list.pop(window.snapshot.revision, None)
        self._drop_all(window, events)
        self._settle(window)
        return events

    def _make_room(self, window: Window, events: list[Event]) -> bool:
        """Make room for one more chunk in a window."""
        while True:
            needed = window.used + MAX_RESPONSE_BYTES
            if needed <= window.max_bytes:
                more = max(0, needed - window.granted)
                if not more or self._take(more, events):
                    window.granted += more
                    return True
            if window.has_consumed:
                self._drop_tail(window, events)
            elif needed > window.max_bytes or not self._drop_consumed(events):
                return False

    def _take(self, size: int, events: list[Event]) -> bool:
        while self._budget.free(WINDOW) < size and self._close_idle(events):
            pass
        return self._budget.take(WINDOW, size)

    def _close_idle(self, events: list[Event]) -> bool:
        """Close the window that was left first. Return whether there was one."""
        idle = [window for window in self._windows if window.idle_since is not None]
        if not idle:
            return False
        events += self._close(min(idle, key=lambda window: window.idle_since or 0.0))
        return True

    def _drop_consumed(self, events: list[Event]) -> bool:
        """Drop one consumed chunk of any window. Return whether its memory is free now."""
        for window in self._windows:
            while not window.is_empty and window.has_consumed and window.granted > self._windows[window]:
                before = window.granted
                self._drop_tail(window, events)
                if window.granted < before:
                    return True
        return False

    def _drop_tail(self, window: Window, events: list[Event]) -> None:
        chunk = window.drop_tail()
        if chunk is not None and chunk.is_pinned:
            events.append(Dropped(window, chunk))
        elif chunk is not None:
            window.used -= chunk.size
            self._settle(window)

    def _drop_all(self, window: Window, events: list[Event]) -> None:
        while window.tail < window.head:
            self._drop_tail(window, events)

    def _settle(self, window: Window) -> None:
        """Return to the budget what a window was granted and no longer uses."""
        surplus = window.granted - max(window.used, self._windows.get(window, 0))
        if surplus:
            window.granted -= surplus
            self._budget.release(WINDOW, surplus)

    def _refill(self) -> list[Event]:
        return [event for window in list(self._starved) for event in self.fill(window)]
