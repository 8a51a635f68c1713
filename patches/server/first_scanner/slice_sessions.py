"""
The table of the sessions of first scanners. It takes ``now``, in seconds of a clock that only grows, and does no I/O.

A session is a position in a list, and has no part of the list in memory: the last slice is read again if it is asked
for again. Every session reads by itself, so there is no queue, and nobody is a laggard. A session ends when it is
silent for too long.
"""

from __future__ import annotations

from collections import Counter, OrderedDict

from attrs import define, field, frozen

from patches.server.budget import SESSION_BYTES, SESSIONS
from patches.server.catalogue.snapshot import Snapshot
from patches.server.errors import Denied, SessionError, SessionExpired, UnknownSession
from patches.server.first_scanner.slices import ListSlice, Position
from patches.service.budget import Budget

#: The seconds that a first scanner may be silent: it examines up to 50 records with some hundred packages each.
SILENCE_SECONDS = 900.0
#: The number of ended sessions that are remembered, so that a late request gets the reason.
MOST_REMEMBERED = 1024
#: The longest ``sequence`` of a request, in characters.
LONGEST_SEQUENCE = 64

_RETRY_SECONDS = 60
_SHARE = "its address has more such sessions than others, and one of these found no place"


@frozen
class SliceLimits:
    """
    The limits of first scanners; times in seconds.

    :ivar places: the sessions that there may be at once, of all platforms.
    :ivar max_share: the fraction of the places that an address may have while others find no place.
    :ivar silence: the time that a session may be silent.
    :ivar complete_silence: the time that a session may be silent that has read everything.
    """

    places: int
    max_share: float = 0.01
    silence: float = SILENCE_SECONDS
    complete_silence: float = 30.0


@define(eq=False)
class SliceSession:
    """
    One first scanner's pass over one list.

    :ivar token: its unguessable name.
    :ivar snapshot: the list that it reads.
    :ivar owner: the address that opened it.
    :ivar seen: the time of its last sign of life.
    :ivar position: the position that is served next.
    :ivar last: the position of the last slice that was served; ``None``: none was.
    :ivar sequence: the ``sequence`` of the request that was answered with it; ``None``: it had none.
    :ivar is_busy: whether a request reads the catalogue now; at most one does.
    """

    token: str
    snapshot: Snapshot
    owner: str
    seen: float
    position: Position = field(factory=Position)
    last: Position | None = None
    sequence: str | None = None
    is_busy: bool = False

    @property
    def is_complete(self) -> bool:
        """Whether every record was served, and then the end."""
        return self.last is not None and self.last.chunk == self.snapshot.chunks

    def repeats(self, sequence: str | None) -> bool:
        """Return whether a request with this ``sequence`` is the last one again."""
        return sequence is not None and sequence == self.sequence

    def start(self, sequence: str | None) -> Position:
        """Return the position at which the slice begins that answers a request."""
        return self.last if self.last is not None and self.repeats(sequence) else self.position

    def serve(self, found: ListSlice, sequence: str | None) -> None:
        """Note that a slice is served; what is behind it comes next."""
        self.last, self.position, self.sequence = found.start, found.end, sequence


class SliceSessions:
    """
    The sessions, by token.

    :param budget: grants the bytes of each session.
    """

    def __init__(self, limits: SliceLimits, budget: Budget) -> None:
        self.limits = limits
        self._budget = budget
        self._sessions: dict[str, SliceSession] = {}
        self._counts: Counter[str] = Counter()
        self._owners: dict[str, dict[str, SliceSession]] = {}
        self._ended: OrderedDict[str, SessionError] = OrderedDict()
        self._stopping: Denied | None = None

    def __len__(self) -> int:
        return len(self._sessions)

    def count(self, platform: str) -> int:
        """Return the number of sessions of a platform."""
        return self._counts[platform]

    def revisions(self) -> set[str]:
        """Return the revisions of the lists that are read."""
        return {session.snapshot.revision for session in self._sessions.values()}

    def __contains__(self, token: str) -> bool:
        return token in self._sessions

    def open(self, token: str, snapshot: Snapshot, owner: str, now: float) -> SliceSession:
        """
        Open a session; if there is no place, it may get that of an address with more places than others.

        :raises Denied: if there is no place or no memory for it, or the server stops.
        """
        if self._stopping is not None:
            raise self._stopping.with_traceback(None)
        if len(self._sessions) >= self.limits.places:
            self._displace(owner)
        if not self._budget.take(SESSIONS, SESSION_BYTES):
            raise Denied("memory-limit", "the memory limit allows no further session", _RETRY_SECONDS)
        session = SliceSession(token, snapshot, owner, now)
        self._sessions[token] = self._owners.setdefault(owner, {})[token] = session
        self._ended.pop(token, None)
        self._counts[snapshot.platform] += 1
        return session

    def touch(self, token: str, now: float) -> SliceSession:
        """
        Return a session, and record a sign of life.

        :raises SessionExpired: if it has expired.
        :raises UnknownSession: if there is no such session; :exc:`Denied` if it gave its place to others, or the server
            stops.
        """
        session = self._sessions.get(token)
        if session is None:
            raise (self._ended.get(token) or self._stopping or UnknownSession()).with_traceback(None)
        session.seen = now
        return session

    def close(self, token: str) -> None:
        """Remove a session of which its scanner does not know."""
        self._remove(token)

    def expire(self, now: float) -> list[SliceSession]:
        """Remove the sessions that are silent for too long. Return those of them that had not read everything."""
        silent = [each for each in self._sessions.values() if now - each.seen > self._allowed(each)]
        lost = [each for each in silent if not each.is_complete]
        for session in silent:
            self._remove(session.token)
            reason = f"it was silent for more than {self._allowed(session):g} s"
            self._remember(session.token, SessionExpired(f"the session has ended: {reason}"))
        return lost

    def stop(self) -> None:
        """Deny everything from now on, and end all sessions."""
        self._stopping = Denied("stopping", "the server is stopping", 1)
        for token in list(self._sessions):
            self._remove(token)

    def _displace(self, owner: str) -> None:
        """
        End the youngest session of the address with the most places, if a newcomer has fewer.

        :raises Denied: if no address has more places than others, or than any may have.
        """
        largest = max(self._owners.values(), key=len)
        most = max(self.limits.max_share * self.limits.places, len(self._owners.get(owner, ())) + 1)
        if len(largest) <= most:
            message = f"{len(self._sessions)} scanners read lists in this way already; try again later"
            raise Denied("queue-full", message, _RETRY_SECONDS)
        token = next(reversed(largest))
        self._remove(token)
        self._remember(token, Denied("share", _SHARE, _RETRY_SECONDS))

    def _allowed(self, session: SliceSession) -> float:
        return self.limits.complete_silence if session.is_complete else self.limits.silence

    def _remove(self, token: str) -> None:
        session = self._sessions.pop(token, None)
        if session is not None:
            self._counts[session.snapshot.platform] -= 1
            mine = self._owners[session.owner]
            del mine[token]
            if not mine:
                del self._owners[session.owner]
            self._budget.release(SESSIONS, SESSION_BYTES)

    def _remember(self, token: str, ending: SessionError) -> None:
        self._ended[token] = ending
        if len(self._ended) > MOST_REMEMBERED:
            self._ended.popitem(last=False)
