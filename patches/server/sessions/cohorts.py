"""
The cohorts that read, each with its window, and the memory of these windows.

A snapshot that was refused memory keeps its place in line: as long as the first in that line has no memory, no other
snapshot gets a new window, however busy its platform is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set
from functools import partial

from twisted.internet.defer import Deferred

from patches.server.budget import WINDOW, Budget
from patches.server.catalogue.delta import ReadableList
from patches.server.sessions.chunk_response import MAX_RESPONSE_BYTES, ChunkResponse
from patches.server.sessions.table import Session
from patches.server.sessions.window import Window

#: Loads a chunk of a snapshot: ``(revision, number)``.
LoadChunk = Callable[[str, int], Deferred[ChunkResponse]]


class Cohort:
    """
    The sessions that read one window, in one pass over a snapshot.

    :param start: the first chunk of the window.
    :param now: seconds of the clock of all methods here.
    """

    def __init__(self, snapshot: ReadableList, start: int, window_bytes: int, load: LoadChunk, now: float) -> None:
        self.snapshot = snapshot
        name = f"{snapshot.platform} {snapshot.revision}"
        self.window = Window(snapshot.chunks, start, window_bytes, partial(load, snapshot.revision), name)
        self.members: dict[str, Session] = {}
        self._tail = start
        self._tail_since = now

    def enter(self, session: Session) -> None:
        """Add an active session."""
        self.members[session.token] = session
        self.window.join(session.token, session.position)

    def admits(self, position: int, now: float, at_tail_seconds: float) -> bool:
        """
        Return whether a session that needs this chunk next may join.

        :param at_tail_seconds: once others have waited ahead of the tail for this time, no session joins at the tail
            any more; otherwise a few newcomers at a time could hold the tail for ever.
        """
        if not self.window.admits(position):
            return False
        return (
            position > self.window.tail
            or not self.window.has_readers_ahead
            or now - self._still_since(now) <= at_tail_seconds
        )

    def overdue(self, now: float, allowed: float, queued: bool) -> list[Session]:
        """
        Return the sessions that have held the tail for longer than ``allowed`` seconds while others wait.

        :param queued: whether sessions wait for this cohort to end.
        """
        since = self._still_since(now)
        if not queued and not self.window.has_readers_ahead:
            return []
        holders = [session for session in self.members.values() if session.position == self._tail]
        return [session for session in holders if now - max(session.moved, since) > allowed]

    def _still_since(self, now: float) -> float:
        if self.window.tail != self._tail:
            self._tail, self._tail_since = self.window.tail, now
        return self._tail_since


class Cohorts:
    """
    The cohorts by snapshot, at most one each.

    :param window_bytes: the size of one window.
    :param at_tail_seconds: the time for which sessions may join at the tail while others wait ahead of it.
    """

    def __init__(self, budget: Budget, load: LoadChunk, window_bytes: int, at_tail_seconds: float) -> None:
        self._budget = budget
        self._load = load
        self._window_bytes = window_bytes
        self._patience = at_tail_seconds
        self._cohorts: dict[str, Cohort] = {}
        self._refused: dict[str, None] = {}

    def __len__(self) -> int:
        return len(self._cohorts)

    def __iter__(self) -> Iterator[Cohort]:
        return iter(list(self._cohorts.values()))

    def get(self, revision: str) -> Cohort | None:
        """Return the cohort of a snapshot, if it has one."""
        return self._cohorts.get(revision)

    def admit(self, session: Session, snapshot: ReadableList, now: float) -> bool:
        """
        Add a session to the cohort of its snapshot, which is created if needed. Return whether the session was added.
        """
        cohort = self._cohorts.get(snapshot.revision) or self._open(snapshot, session.position, now)
        if cohort is None or not cohort.admits(session.position, now, self._patience):
            return False
        cohort.enter(session)
        return True

    def leave(self, session: Session) -> bool:
        """
        Remove a session from its cohort and close the cohort when it is empty. Return whether the session was a member.
        """
        cohort = self._cohorts.get(session.revision)
        if cohort is None or cohort.members.pop(session.token, None) is None:
            return False
        if not cohort.members:
            del self._cohorts[session.revision]
        cohort.window.leave(session.token)
        return True

    def is_waiting_for_memory(self, revision: str) -> bool:
        """Return whether a snapshot waits for memory."""
        return revision in self._refused

    @property
    def is_short_of_memory(self) -> bool:
        """Whether any snapshot waits for memory."""
        return bool(self._refused)

    def stop_waiting(self, revision: str) -> None:
        """Remove a snapshot from the line for memory."""
        self._refused.pop(revision, None)

    def keep_waiting_only(self, revisions: Set[str]) -> None:
        """Remove all snapshots but these from the line for memory."""
        for revision in self._refused.keys() - revisions:
            del self._refused[revision]

    def _open(self, snapshot: ReadableList, start: int, now: float) -> Cohort | None:
        first = next(iter(self._refused), snapshot.revision)
        size = min(self._window_bytes, max(snapshot.chunks, 1) * MAX_RESPONSE_BYTES)
        if first != snapshot.revision or not self._budget.take(WINDOW, size):
            self._refused.setdefault(snapshot.revision)
            return None
        self._refused.pop(snapshot.revision, None)
        cohort = Cohort(snapshot, start, size, self._load, now)
        cohort.window.emptied.addCallback(lambda _: self._budget.release(WINDOW, size))
        self._cohorts[snapshot.revision] = cohort
        return cohort
