"""Requests that wait for a change of their session: Deferreds, which are fired last, and not too many at once."""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Iterable
from functools import partial

from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.interfaces import IReactorTime

from patches.server.sessions.session import Session

#: Of how many sessions requests are woken in one turn of the reactor, and for how long, in seconds.
WAKE_AT_ONCE = 32
WAKE_SECONDS = 0.002


class Waiters:
    """Deferreds by session; one that fires says only that the session has changed."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._waiting: dict[Session, list[Deferred[None]]] = {}
        self._released: deque[tuple[Session, Exception | None]] = deque()
        self._is_waking = False

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, session: Session) -> Deferred[None]:
        """Return a Deferred that fires when a session has changed; cancel it to stop waiting."""
        waiting: Deferred[None] = Deferred(partial(self._forget, session))
        self._waiting.setdefault(session, []).append(waiting)
        return waiting

    async def within(self, seconds: float, changed: Deferred[None]) -> bool:
        """
        Wait for a change. Return whether it came in time.

        :param seconds: the longest wait; zero or less: none.
        """
        if not changed.called:
            if seconds <= 0:
                changed.addErrback(lambda _: None)
                changed.cancel()
                return False
            changed.addTimeout(seconds, self._clock)
        try:
            await changed
        except TimeoutError:
            return False
        return True

    def release(self, sessions: Iterable[Session], error: Exception | None = None) -> None:
        """
        Schedule the requests that wait for some sessions for the next :meth:`wake`.

        :param error: what they fail with; ``None``: the session has changed.
        """
        self._released.extend((session, error) for session in sessions if session in self._waiting)

    def wake(self) -> None:
        """Fire the Deferreds that were released: some now, the others in the next turns of the reactor."""
        if self._is_waking:
            return
        self._is_waking = True
        until = self._clock.seconds() + WAKE_SECONDS
        for _ in range(WAKE_AT_ONCE):
            if not self._released:
                self._is_waking = False
                return
            if self._clock.seconds() > until:
                break
            session, error = self._released.popleft()
            for waiting in self._waiting.pop(session, ()):
                if not waiting.called:
                    waiting.callback(None) if error is None else waiting.errback(error)
        self._clock.callLater(0, self._go_on)

    def _go_on(self) -> None:
        # CPython counts new objects less those that are freed. A turn frees as many as it creates, so by itself it
        # would look at the new ones of all turns at once, for 14 ms.
        gc.collect(1)
        self._is_waking = False
        self.wake()

    def _forget(self, session: Session, gone: Deferred[None]) -> None:
        others = [waiting for waiting in self._waiting.pop(session, ()) if waiting is not gone]
        if others:
            self._waiting[session] = others
