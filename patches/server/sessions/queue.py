"""The queue of a platform: sessions in order of arrival, and the shares that addresses have of its places."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator

from patches.server.sessions.session import Session


class Queue:
    """Queued sessions by ticket; no operation takes longer the longer the queue is, but for a move of its tickets."""

    def __init__(self) -> None:
        self._tickets: list[int] = []
        self._sessions: dict[int, Session] = {}
        self._owners: dict[str, dict[int, None]] = {}
        self._owners_with: dict[int, dict[str, None]] = {}
        self._most = 0

    def __len__(self) -> int:
        return len(self._tickets)

    def __iter__(self) -> Iterator[Session]:
        """Iterate over the sessions in the order of their tickets; the queue may change meanwhile."""
        return iter([self._sessions[ticket] for ticket in self._tickets])

    @property
    def first(self) -> Session:
        """The session that is next; the queue must not be empty."""
        return self._sessions[self._tickets[0]]

    def add(self, session: Session) -> None:
        """Add a session at the place of its ticket."""
        insort(self._tickets, session.ticket)
        self._sessions[session.ticket] = session
        mine = self._owners.setdefault(session.owner, {})
        mine[session.ticket] = None
        self._count(session.owner, len(mine) - 1, len(mine))

    def remove(self, session: Session) -> None:
        """Remove a session."""
        del self._tickets[bisect_left(self._tickets, session.ticket)]
        del self._sessions[session.ticket]
        mine = self._owners[session.owner]
        del mine[session.ticket]
        if not mine:
            del self._owners[session.owner]
        self._count(session.owner, len(mine) + 1, len(mine))

    def position(self, session: Session) -> int:
        """Return the number of sessions before this one."""
        return bisect_left(self._tickets, session.ticket)

    def displaced_by(self, owner: str, most: float) -> Session | None:
        """
        Return the session that gives its place to a newcomer: the youngest of the owner with the most places.

        :param owner: the newcomer's.
        :param most: the number of places that any owner may keep.
        :return: ``None`` if the newcomer's owner would have as many places, or nobody has more than it may keep.
        """
        if self._most <= max(most, len(self._owners.get(owner, ())) + 1):
            return None
        largest = next(iter(self._owners_with[self._most]))
        return self._sessions[next(reversed(self._owners[largest]))]

    def _count(self, owner: str, before: int, after: int) -> None:
        """Note that an owner has another number of places."""
        if before:
            del self._owners_with[before][owner]
            if not self._owners_with[before]:
                del self._owners_with[before]
        if after:
            self._owners_with.setdefault(after, {})[owner] = None
        # The number of one owner changes by one, so the highest number does too, at most.
        if after > self._most or self._most not in self._owners_with:
            self._most = after
