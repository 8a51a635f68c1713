"""
The last wall before a daemon's memory limit: it watches what is resident, and lets go of what was granted.

The budget grants bytes before they are used. What it does not know, such as gaps of the allocator, is seen here: from
90 % of the limit on, nothing new is granted; from 95 % on, connections and sessions are ended, with a reason; below
85 %, all is as before.
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Sequence
from enum import StrEnum

from attrs import frozen
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from patches.service.budget import CONNECTION_BYTES, CONNECTIONS, Budget
from patches.service.malloc import give_back

log = Logger()

#: How often the resident memory is measured, in seconds.
MEASURE_SECONDS = 0.1
#: The parts of the limit: from these on, nothing new is granted, and something is let go; below the last, all is well.
CLOSE_PART, SHED_PART, OPEN_PART = 0.90, 0.95, 0.85
#: How often freed memory is collected and given back while there is little, in seconds.
GIVE_BACK_SECONDS = 2.0
#: After this time all is accepted again even if the memory is not given back, if less than half of it is in use: the
#: allocator keeps what is between objects, and uses it for new ones.
LONGEST_CLOSED_SECONDS = 30.0
#: How long what was let go is waited for, in seconds, before more is let go.
SETTLE_SECONDS = 0.3


class GovernorState(StrEnum):
    """The state of a governor."""

    OPEN = "open"
    CLOSED = "closed"
    SHEDDING = "shedding"


def next_governor_state(state: GovernorState, resident: int, limit: int) -> GovernorState:
    """Return the state that follows from the resident bytes."""
    if resident >= SHED_PART * limit:
        return GovernorState.SHEDDING
    if resident >= CLOSE_PART * limit:
        return GovernorState.CLOSED
    if resident >= OPEN_PART * limit and state is not GovernorState.OPEN:
        return GovernorState.CLOSED
    return GovernorState.OPEN


@frozen
class Shedder:
    """
    A way to let something go.

    :ivar what: its name in metrics and log: ``half-read requests``.
    :ivar shed: ends so many at most. Returns their number.
    """

    what: str
    shed: Callable[[int], int]


class MemoryGovernor:
    """
    Keeps the resident memory of a daemon below its limit.

    :param limit: in bytes.
    :param measure: returns the bytes that are resident now, those of workers included.
    :param closes: the purposes for which the budget grants nothing while there is little memory.
    :ivar counts: the number of times that it ``closed``, that memory was given back (``given-back``), and what was let
        go, by name.
    :ivar resident: what was measured last.
    :ivar shedders: what is let go, in the order in which it is tried.
    """

    def __init__(
        self,
        limit: int,
        measure: Callable[[], int],
        budget: Budget,
        closes: Sequence[str],
        clock: IReactorTime,
    ) -> None:
        self.limit = limit
        self.state = GovernorState.OPEN
        self.counts: Counter[str] = Counter()
        self.resident = 0
        self.shedders: Sequence[Shedder] = ()
        self.measure = measure
        self._budget = budget
        self._closes = frozenset(closes)
        self._clock = clock
        self._gave_back = self._shed_last = self._closed_since = float("-inf")

    def tick(self) -> None:
        """Measure, and do what follows."""
        self.resident = self.measure()
        now = self._clock.seconds()
        before, self.state = self.state, next_governor_state(self.state, self.resident, self.limit)
        if self.state is GovernorState.CLOSED and before is not GovernorState.OPEN and self._is_unused(now):
            self.state = GovernorState.OPEN
        if self.state is not before:
            self._note(before, now)
        if self.state is GovernorState.OPEN:
            return
        self._budget.reclaim(CONNECTIONS, self._budget.free(CONNECTIONS) + int(self.resident - OPEN_PART * self.limit))
        if self.state is GovernorState.SHEDDING and now - self._shed_last >= SETTLE_SECONDS:
            self._shed_last = now
            self._shed()
        if now - self._gave_back >= GIVE_BACK_SECONDS:
            self._gave_back = now
            gc.collect()
            self.counts["given-back"] += give_back()

    def _is_unused(self, now: float) -> bool:
        """Return whether most of the memory has not been in use for long."""
        used = sum(self._budget.used.values())
        return now - self._closed_since >= LONGEST_CLOSED_SECONDS and used < self._budget.limit / 2

    def _note(self, before: GovernorState, now: float) -> None:
        used = {"used": self.resident >> 20, "limit": self.limit >> 20}
        if self.state is GovernorState.OPEN:
            self._budget.closed = frozenset()
            log.info("Memory: {used} of {limit} MiB are used; all is accepted again", **used)
        elif before is GovernorState.OPEN:
            self._budget.closed = self._closes
            self._closed_since = now
            self.counts["closed"] += 1
            log.warn("Memory: {used} of {limit} MiB are used; nothing new is accepted", **used)

    def _shed(self) -> None:
        """End as many connections and sessions as explain the memory above the lower threshold."""
        left = max(1, int(self.resident - CLOSE_PART * self.limit) // CONNECTION_BYTES)
        for shedder in self.shedders:
            count = shedder.shed(left) if left > 0 else 0
            if count:
                self.counts[shedder.what] += count
                left -= count
                log.warn("Memory is short: {count} {what} were ended", count=count, what=shedder.what)
