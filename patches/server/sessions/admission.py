"""
Admission: it decides when a queued session becomes active.

Sessions are admitted in order of arrival. A session that arrives while others wait for a free place is queued behind
them, and the queue is processed in its order.
"""

from __future__ import annotations

from collections import Counter

from twisted.internet.interfaces import IReactorTime

from patches.server.sessions.cohorts import Cohorts
from patches.server.sessions.snapshot_refs import SnapshotRefs
from patches.server.sessions.table import Session, SessionTable, State
from patches.server.sessions.waiters import Waiters


class Admission:
    """
    Moves sessions of a table into cohorts and out of them.

    :param snapshots: the snapshots that the sessions of the table read.
    :param waiting: the Deferreds that wait for a session to become active.
    :param events: ``activated`` is counted here.
    """

    def __init__(
        self,
        table: SessionTable,
        cohorts: Cohorts,
        snapshots: SnapshotRefs,
        waiting: Waiters,
        events: Counter[str],
        clock: IReactorTime,
    ) -> None:
        self._table = table
        self._cohorts = cohorts
        self._snapshots = snapshots
        self._waiting = waiting
        self._events = events
        self._clock = clock
        self._vacant: set[str] = set()

    def enqueue(self, session: Session) -> None:
        """Activate a session that was just queued, if it is its turn."""
        if session.platform in self._vacant or self._cohorts.is_waiting_for_memory(session.revision):
            self._admit(session.platform)  # earlier sessions are admitted first
        else:
            self._try_to_activate(session)

    def leave(self, session: Session, last: bool = False) -> None:
        """
        Remove a session from its cohort, if it is in one; when the cohort ends, the next one follows.

        :param last: no cohort follows.
        """
        if not self._cohorts.leave(session) or last:
            return
        if self._cohorts.get(session.revision) is None:
            self._admit(session.platform)
        else:
            self._vacant.add(session.platform)

    def tick(self) -> None:
        """Activate every session that can be active."""
        for platform in {session.platform for session in self._table}:
            self._admit(platform)

    def _admit(self, platform: str) -> None:
        """
        Activate the queued sessions of a platform that can be active.

        Each activation fires Deferreds, whose callbacks may open, serve or close sessions at once.
        """
        self._vacant.discard(platform)
        for session in self._table.queue(platform):
            # Checked again for each session: activating the one before may have activated, closed or replaced this one.
            if session.state is State.QUEUED and self._table.find(session.token) is session:
                self._try_to_activate(session)

    def _try_to_activate(self, session: Session) -> None:
        if self._table.count(session.platform, State.ACTIVE) >= self._table.limits.max_active:
            self._cohorts.stop_waiting(session.revision)
            return
        now = self._clock.seconds()
        if not self._cohorts.admit(session, self._snapshots.get(session.revision), now):
            return
        self._table.activate(session, now)
        self._events["activated"] += 1
        self._waiting.fire(session.token)
