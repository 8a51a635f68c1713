"""
Admission: when a queued session becomes active.

First come, first served. A session that comes while a place is free that others wait for goes to the end of the queue,
and the queue is gone through in its order.
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
    Brings sessions of a table into lanes, and out of them.

    :param snapshots: those that the sessions of the table read.
    :param waiting: who waits for a session to become active.
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
        """Activate a session that has just been queued, if it is its turn."""
        if session.platform in self._vacant or self._cohorts.is_waiting_for_memory(session.revision):
            self._admit(session.platform)  # those who came before go first
        else:
            self._try_to_activate(session)

    def leave(self, session: Session, last: bool = False) -> None:
        """
        Let a session out of its lane, if it is in one; the next cohort follows where the lane ends.

        :param last: nobody is to follow.
        """
        if not self._cohorts.leave(session) or last:
            return
        if self._cohorts.get(session.revision) is None:
            self._admit(session.platform)
        else:
            self._vacant.add(session.platform)

    def tick(self) -> None:
        """Activate whoever can be."""
        for platform in {session.platform for session in self._table}:
            self._admit(platform)

    def _admit(self, platform: str) -> None:
        """Activate whoever in a queue can be; those are told, which may have consequences at once."""
        self._vacant.discard(platform)
        for session in self._table.queue(platform):
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
