"""
Admission: which queued session becomes active, and how long the others wait.

A session is activated when its platform has a free place and a window holds, or will hold, the chunk that it needs.
Sessions that need the same chunk of the same list are activated in the order of their tickets; one that needs another
window does not wait for them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import count

from patches.server.sessions.events import Changed, Event
from patches.server.sessions.pace import QueuePace
from patches.server.sessions.queue import Queue
from patches.server.sessions.session import Limits, Session
from patches.server.sessions.states import SessionStep, State
from patches.server.sessions.table import SessionTable
from patches.server.sessions.windows import Windows

#: The longest advice to come back, in seconds.
LONGEST_RETRY = 600


class Admission:
    """
    The queues of all platforms.

    :ivar queues: by platform.
    """

    def __init__(self, limits: Limits, table: SessionTable, windows: Windows) -> None:
        self.queues: defaultdict[str, Queue] = defaultdict(Queue)
        self._limits = limits
        self._table = table
        self._windows = windows
        self._paces: defaultdict[str, QueuePace] = defaultdict(QueuePace)
        self._queued_at: Counter[tuple[str, int]] = Counter()
        self._tickets = count()
        self._without_window: set[str] = set()

    def expected_wait(self, session: Session, now: float) -> float:
        """Return the seconds until a session is activated, estimated from the pace of its queue; 0 if it is active."""
        if session.state is not State.QUEUED:
            return 0.0
        queue = self.queues[session.platform]
        return self._paces[session.platform].expected_wait(queue.position(session), now, queue.first.opened)

    def retry_after(self, platform: str, now: float) -> int:
        """Return the seconds after which a place is likely to be free: when a tenth of the queue was activated."""
        queue = self.queues[platform]
        since = queue.first.opened if len(queue) else now
        expected = self._paces[platform].expected_wait(len(queue) // 10, now, since)
        return min(max(1, round(expected)), LONGEST_RETRY)

    def has_no_place(self, platform: str) -> bool:
        """Return whether as many sessions of a platform are active as may be."""
        return self._table.count(platform, State.ACTIVE) >= self._limits.max_active

    def waiting_revisions(self) -> set[str]:
        """Return the revisions of the lists that queued sessions wait for."""
        return {revision for revision, _ in self._queued_at}

    def enqueue(self, session: Session, now: float) -> list[Event]:
        """Add a session to its queue, with a ticket, and activate it if it can be active at once."""
        session.ticket = next(self._tickets)
        queue = self.queues[session.platform]
        is_turn = not len(queue) or session.platform in self._without_window
        queue.add(session)
        self._queued_at[session.revision, session.position] += 1
        # Whoever came before has precedence; those that need other chunks of other lists wait for other windows.
        if not is_turn or self._queued_at[session.revision, session.position] > 1:
            return []
        if self.has_no_place(session.platform):
            self._without_window.discard(session.platform)
            return []
        return self._try(session, now)

    def remove(self, session: Session) -> None:
        """Remove a session from its queue."""
        self.queues[session.platform].remove(session)
        key = session.revision, session.position
        self._queued_at[key] -= 1
        if not self._queued_at[key]:
            del self._queued_at[key]

    def follow(self, platform: str, is_window_free: bool, now: float) -> list[Event]:
        """
        Activate the next sessions of a platform, after one has left.

        :param is_window_free: whether it was the last one of its window.
        """
        if not len(self.queues[platform]) or (platform in self._without_window and not is_window_free):
            return []
        return self.admit(platform, now)

    def admit_all(self, now: float) -> list[Event]:
        """Activate every session that can be active."""
        waiting = [platform for platform, queue in self.queues.items() if len(queue)]
        return [event for platform in waiting for event in self.admit(platform, now)]

    def admit(self, platform: str, now: float) -> list[Event]:
        """Activate the queued sessions of a platform that can be active, in the order of their tickets."""
        events: list[Event] = []
        blocked: set[tuple[str, int]] = set()
        for session in self.queues[platform]:
            if self.has_no_place(platform):
                self._without_window.discard(platform)
                return events
            if (session.revision, session.position) not in blocked:
                events += self._try(session, now)
                if session.state is State.QUEUED:
                    blocked.add((session.revision, session.position))
        self._without_window.add(platform)
        return events

    def _try(self, session: Session, now: float) -> list[Event]:
        """Activate a queued session, for which there is a place, if there is a window."""
        placed = self._windows.place(session)
        if session.window is None:
            self._without_window.add(session.platform)
            return placed
        self.remove(session)
        if now > session.opened:
            self._paces[session.platform].note(now, session.opened)
        session.seen = now
        self._table.take_step(session, SessionStep.ADMITTED)
        return [Changed(session, SessionStep.ADMITTED), *placed]
