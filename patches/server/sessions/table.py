"""
The session table: active, queued, complete and ended sessions.

Every method that depends on time takes ``now``, in seconds of a clock that only grows, and nothing here does I/O. A
session is *queued*, then *active*, then *complete*; or *expired*. A client that cannot be admitted is *denied*.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator
from enum import StrEnum

from attrs import define, field, frozen

from patches.server.errors import Denied, SessionExpired, UnknownSession


class State(StrEnum):
    """The state of a session."""

    QUEUED = "queued"
    ACTIVE = "active"
    COMPLETE = "complete"


@frozen
class Limits:
    """
    The limits, per platform; times in seconds.

    :ivar session_timeout: the time that an active session may be silent.
    :ivar queue_timeout: the time that a queued session may be silent.
    :ivar chunk_timeout: the time that an active session may hold a window's tail while others wait.
    """

    max_active: int = 1024
    max_queued: int = 8192
    session_timeout: float = 30.0
    queue_timeout: float = 60.0
    chunk_timeout: float = 60.0


@define(eq=False)
class Session:
    """
    One scanner's pass over one snapshot.

    :ivar token: its unguessable name.
    :ivar position: the chunk that it asked for last, or needs first.
    :ivar seen: the time of its last sign of life.
    :ivar moved: the time at which it came to its position, or became active.
    """

    token: str
    platform: str
    revision: str
    position: int
    seen: float
    moved: float
    state: State = field(default=State.QUEUED)


#: The number of ended sessions that are remembered, so that a late request gets the reason.
REMEMBERED = 1024


class SessionTable:
    """All sessions of a server; only active and queued ones can still read."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._sessions: dict[str, Session] = {}
        self._queues: dict[str, dict[str, Session]] = {}
        self._counts: Counter[tuple[str, State]] = Counter()
        self._ended: OrderedDict[str, str] = OrderedDict()

    def __len__(self) -> int:
        return len(self._sessions)

    def __iter__(self) -> Iterator[Session]:
        return iter(list(self._sessions.values()))

    def open(self, token: str, platform: str, revision: str, position: int, now: float) -> Session:
        """
        Add a session at the end of its platform's queue.

        :param position: the chunk that it needs first.
        :raises Denied: ``queue-full``.
        """
        if self.count(platform, State.QUEUED) >= self.limits.max_queued:
            raise Denied("queue-full", f"{self.limits.max_queued} scanners wait for {platform}", self.patience())
        session = Session(token, platform, revision, position, seen=now, moved=now)
        self._sessions[token] = session
        self._queues.setdefault(platform, {})[token] = session
        self._counts[platform, State.QUEUED] += 1
        self._ended.pop(token, None)
        return session

    def get(self, token: str) -> Session:
        """
        Return a session.

        :raises SessionExpired: if it has ended, with the reason.
        :raises UnknownSession: if no such session exists.
        """
        session = self._sessions.get(token)
        if session is None:
            if token in self._ended:
                raise SessionExpired(self._ended[token])
            raise UnknownSession()
        return session

    def find(self, token: str) -> Session | None:
        """Return a session; ``None`` if it is not in the table."""
        return self._sessions.get(token)

    def activate(self, session: Session, now: float) -> None:
        """Make a queued session active."""
        del self._queues[session.platform][session.token]
        self._become(session, State.ACTIVE)
        session.seen = session.moved = now

    def complete(self, session: Session, now: float) -> None:
        """Mark an active session as complete; it is kept for a while, in case the last response was lost."""
        self._become(session, State.COMPLETE)
        session.seen = now

    def remove(self, session: Session, reason: str | None = None) -> None:
        """Remove a session; a later request for it is answered with the reason."""
        self._queues.get(session.platform, {}).pop(session.token, None)
        del self._sessions[session.token]
        self._counts[session.platform, session.state] -= 1
        if reason is not None:
            self._ended[session.token] = reason
            if len(self._ended) > REMEMBERED:
                self._ended.popitem(last=False)

    def expire(self, now: float) -> list[tuple[Session, str]]:
        """
        Remove every session that has been silent for too long.

        :return: the removed sessions, with the reason; the reason of a complete session is empty.
        """
        expired = []
        for session in self:
            allowed = self.allowed_silence(session)
            if now - session.seen > allowed:
                complete = session.state is State.COMPLETE
                reason = "" if complete else f"the {session.state} session was silent for more than {allowed:g} s"
                self.remove(session, reason or None)
                expired.append((session, reason))
        return expired

    def queue(self, platform: str) -> list[Session]:
        """Return the platform's queued sessions in order of arrival."""
        return list(self._queues.get(platform, {}).values())

    def queue_position(self, session: Session) -> int | None:
        """Return the number of sessions before this one in its queue; ``None`` if it is not queued."""
        if session.state is not State.QUEUED:
            return None
        return next(i for i, token in enumerate(self._queues[session.platform]) if token == session.token)

    def count(self, platform: str, state: State) -> int:
        """Return the number of sessions of a platform in a state."""
        return self._counts[platform, state]

    def allowed_silence(self, session: Session) -> float:
        """Return the seconds that a session may be silent."""
        queued = session.state is State.QUEUED
        return self.limits.queue_timeout if queued else self.limits.session_timeout

    def patience(self) -> int:
        """Return the seconds after which a client that was denied should try again."""
        return max(1, int(self.limits.queue_timeout / 2))

    def _become(self, session: Session, state: State) -> None:
        self._counts[session.platform, session.state] -= 1
        self._counts[session.platform, state] += 1
        session.state = state
