"""Deferreds that wait for a session to become active, and that can be cancelled."""

from __future__ import annotations

from functools import partial

from twisted.internet.defer import Deferred


class Waiters:
    """Deferreds by session."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[Deferred[None]]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, token: str) -> Deferred[None]:
        """Return a Deferred that waits for a session; cancel it to stop waiting."""
        waiting: Deferred[None] = Deferred(partial(self._forget, token))
        self._waiting.setdefault(token, []).append(waiting)
        return waiting

    def fire(self, token: str) -> None:
        """Fire all Deferreds of a session."""
        for waiting in self._waiting.pop(token, []):
            waiting.callback(None)

    def fail(self, token: str, error: Exception) -> None:
        """Fail all Deferreds of a session."""
        for waiting in self._waiting.pop(token, []):
            waiting.errback(error)

    def _forget(self, token: str, gone: Deferred[None]) -> None:
        others = [waiting for waiting in self._waiting.pop(token, []) if waiting is not gone]
        if others:
            self._waiting[token] = others
