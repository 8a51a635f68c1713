"""
Turns of connections that pipeline, so that they do not delay others.

A reactor serves whatever is ready, one connection after the other, before it looks for more. Thousands of connections
with tens of requests each would keep it for seconds. So requests behind the first one of a connection share a slice of
time in each iteration of the reactor. When that is over, their connections wait, and each has one request answered in
turn.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Protocol

from twisted.internet.interfaces import IReactorTime

#: The time in each iteration of the reactor for requests that were sent before the last one was answered, in seconds.
SLICE_SECONDS = 0.05


class WaitingConnection(Protocol):
    """A connection with requests that were sent before the last one was answered."""

    def take_turn(self) -> None:
        """Answer the next request, if the connection still can."""


class Turns:
    """The connections that wait for their turn, in the order in which they began to wait."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._waiting: deque[WaitingConnection] = deque()
        self._began: float | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def may_go_on(self) -> bool:
        """Return whether a connection need not wait: none does, and this slice of time is not over."""
        if self._began is None:
            self._begin()
        return not self._waiting and self._clock.seconds() < self._end

    @property
    def _end(self) -> float:
        return (self._began or 0.0) + SLICE_SECONDS

    def add(self, connection: WaitingConnection) -> None:
        """Add a connection behind those that wait."""
        self._waiting.append(connection)

    def _begin(self) -> None:
        clock: Any = self._clock
        self._began = self._clock.seconds()
        clock.callLater(0, self._run)

    def _run(self) -> None:
        """Begin a slice of time, in a new iteration of the reactor, with the connections that wait."""
        self._began = None
        if not self._waiting:
            return
        self._begin()
        while self._waiting and self._clock.seconds() < self._end:
            self._waiting.popleft().take_turn()
