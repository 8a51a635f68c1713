"""The table of sessions: those that live, their number in each state, and why others have ended."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator

from patches.server.errors import Denied, SessionError, UnknownSession
from patches.server.sessions.session import Session
from patches.server.sessions.states import LIVE, SessionStep, State, next_state

#: The number of ended sessions that are remembered, so that a late request gets the reason.
REMEMBERED = 1024


class SessionTable:
    """
    Sessions by token.

    :ivar stopping: the answer to everybody once the server stops; ``None`` before.
    """

    def __init__(self) -> None:
        self.stopping: Denied | None = None
        self._sessions: dict[str, Session] = {}
        self._counts: Counter[tuple[str, State]] = Counter()
        self._ended: OrderedDict[str, SessionError] = OrderedDict()

    def __len__(self) -> int:
        return len(self._sessions)

    def __iter__(self) -> Iterator[Session]:
        return iter(list(self._sessions.values()))

    def find(self, token: str) -> Session | None:
        """Return a session; ``None`` if it is not in the table."""
        return self._sessions.get(token)

    def get(self, token: str) -> Session:
        """
        Return a session.

        :raises SessionExpired: if it has ended, with the reason; :exc:`Denied` if it gave its place to others.
        :raises UnknownSession: if no such session exists.
        """
        session = self._sessions.get(token)
        if session is None:
            ending = self._ended.get(token) or self.stopping or UnknownSession()
            raise ending.with_traceback(None)
        return session

    def count(self, platform: str, state: State) -> int:
        """Return the number of sessions of a platform in a state."""
        return self._counts[platform, state]

    def add(self, session: Session) -> None:
        """Add a session."""
        self._sessions[session.token] = session
        self._ended.pop(session.token, None)
        self._counts[session.platform, session.state] += 1

    def take_step(self, session: Session, step: SessionStep) -> None:
        """Change the state of a session by one step."""
        self._counts[session.platform, session.state] -= 1
        session.state = next_state(session.state, step)
        if session.state in LIVE:
            self._counts[session.platform, session.state] += 1

    def remove(self, session: Session, ending: SessionError | None) -> None:
        """
        Remove a session, which is about to take its last step.

        :param ending: the answer to later requests; ``None``: it is unknown.
        """
        del self._sessions[session.token]
        if ending is not None:
            self._ended[session.token] = ending
            if len(self._ended) > REMEMBERED:
                self._ended.popitem(last=False)
