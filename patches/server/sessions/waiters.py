"""Those who wait for something to become of a session: Deferreds that can be cancelled."""

from __future__ import annotations

from functools import partial

from twisted.internet.defer import Deferred


class Waiters:
    """Deferreds by the session that they wait for."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[Deferred[None]]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, token: str) -> Deferred[None]:
        """Wait for a session; cancel to wait no longer."""
        waiting: Deferred[None] = Deferred(partial(self._forget, token))
        self._waiting.setdefault(token, []).append(waiting)
        return waiting

    def fire(self, token: str) -> None:
        """Let everyone go on who waits for a session."""
        for waiting in self._waiting.pop(token, []):
            waiting.callback(None)

    def fail(self, token: str, error: Exception) -> None:
        """Tell everyone who waits for a session that they wait in vain."""
        for waiting in self._waiting.pop(token, []):
            waiting.errback(error)

    def _forget(self, token: str, gone: Deferred[None]) -> None:
        others = [waiting for waiting in self._waiting.pop(token, []) if waiting is not gone]
        if others:
            self._waiting[token] = others
