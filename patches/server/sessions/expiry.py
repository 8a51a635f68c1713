"""Expiry: sessions end that are silent, or hold up others for too long."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from twisted.logger import Logger

from patches.server.sessions.cohorts import Cohort, Cohorts
from patches.server.sessions.table import Session, SessionTable, State

log = Logger()


class Expiry:
    """
    Expires sessions of a table.

    :param cohorts: the cohorts of the active sessions.
    :param events: ``expired`` is counted here.
    :param gone: releases what a session that left the table was using.
    """

    def __init__(
        self, table: SessionTable, cohorts: Cohorts, events: Counter[str], gone: Callable[[Session], None]
    ) -> None:
        self._table = table
        self._cohorts = cohorts
        self._events = events
        self._gone = gone

    def tick(self, now: float) -> None:
        """
        Expire silent sessions, and sessions that hold up others.

        :param now: seconds of the sessions' clock.
        """
        for session, reason in self._table.expire(now):
            self._gone(session)
            self._note(session, reason)
        self._cohorts.keep_waiting_only({session.revision for session in self._table if session.state is State.QUEUED})
        for cohort in self._cohorts:
            self._expire_slow(cohort, now)

    def _expire_slow(self, cohort: Cohort, now: float) -> None:
        allowed = self._table.limits.chunk_timeout
        queued = self._cohorts.is_short_of_memory or bool(self._table.count(cohort.snapshot.platform, State.QUEUED))
        for session in cohort.overdue(now, allowed, queued):
            reason = f"chunk {session.position} was not consumed within {allowed:g} s, and others waited"
            self._table.remove(session, reason)
            self._gone(session)
            self._note(session, reason)

    def _note(self, session: Session, reason: str) -> None:
        if reason:
            self._events["expired"] += 1
            log.info("A session of {platform} expired: {reason}", platform=session.platform, reason=reason)
