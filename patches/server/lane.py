"""A lane: a window, the cohort of sessions that goes through it, and how long its tail has stood still."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from twisted.internet.defer import Deferred

from patches.server.delta import Readable
from patches.server.loaded import LoadedChunk
from patches.server.sessions import Session
from patches.server.window import Window

#: Loads a chunk of a snapshot: ``(revision, number)``.
Load = Callable[[str, int], Deferred[LoadedChunk]]


class Lane:
    """
    One pass of a cohort over a snapshot.

    :param start: the first chunk that the window holds.
    :param now: seconds of the clock that all methods here are told.
    """

    def __init__(self, snapshot: Readable, start: int, window_bytes: int, load: Load, now: float) -> None:
        self.snapshot = snapshot
        self.window = Window(snapshot.chunks, start, window_bytes, partial(load, snapshot.revision))
        self.cohort: dict[str, Session] = {}
        self._tail = start
        self._tail_since = now

    def enter(self, session: Session) -> None:
        """Take an active session into the cohort."""
        self.cohort[session.token] = session
        self.window.join(session.token, session.position)

    def admits(self, position: int, now: float, patience: float) -> bool:
        """
        Tell whether a session that needs this chunk next may join.

        :param patience: once others have waited ahead of the tail for so many seconds, nobody joins there any more;
            else a few that come all the time would hold it for ever.
        """
        if not self.window.admits(position):
            return False
        return position > self.window.tail or not self.window.held_up or now - self._still_since(now) <= patience

    def overdue(self, now: float, allowed: float, queued: bool) -> list[Session]:
        """
        Tell who has held the tail for longer than ``allowed`` seconds while others wait.

        :param queued: whether sessions wait for this cohort to end.
        """
        since = self._still_since(now)
        if not queued and not self.window.held_up:
            return []
        holders = [session for session in self.cohort.values() if session.position == self._tail]
        return [session for session in holders if now - max(session.moved, since) > allowed]

    def _still_since(self, now: float) -> float:
        if self.window.tail != self._tail:
            self._tail, self._tail_since = self.window.tail, now
        return self._tail_since
