"""The memory budget: the one place that grants the server's bytes."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping

#: The purposes of granted bytes.
WINDOW = "window"  # chunks held for sessions, prefetched ones and those still on their way out included
REFRESH = "refresh"  # reading a source and writing a snapshot
SESSIONS = "sessions"  # entries of the session table
CONNECTIONS = "connections"  # a channel, its parser, a parked request
RESPONSES = "responses"  # bodies that belong to one response only, until the kernel has them
PURPOSES = (WINDOW, REFRESH, SESSIONS, CONNECTIONS, RESPONSES)

#: Reserved for windows, which take more where others leave it.
WINDOW_SHARE_BYTES = 1024 * 1024
#: The bytes of an entry of the session table, and of a connection with a waiting request (measured: 1.1 and 11.2 KiB).
SESSION_BYTES = 2 * 1024
CONNECTION_BYTES = 16 * 1024
#: The most bytes of a refresh: a page of a source's list, a few details, one chunk being encoded, a page cache.
REFRESH_BYTES = 8 * 1024 * 1024
#: The least and the most memory of a worker, which parses the lists of one source, its code included. The largest known
#: list needs 44 MiB; most need less than 30.
LEAST_WORKER_BYTES, MOST_WORKER_BYTES = 36 * 1024 * 1024, 140 * 1024 * 1024
#: The part of the free memory that one worker may have: two workers and many connections have room.
_WORKER_PART = 0.4
#: Reserved for memory that is not counted: the allocator's gaps, threads, SQLite's page caches.
SLACK_BYTES = 16 * 1024 * 1024


class MemoryLimitTooLow(ValueError):
    """The limit leaves no room to serve anything."""


class Budget:
    """
    Grants bytes within a limit; a purpose can have a share that no other purpose may use.

    :param limit: the number of bytes that may be granted in all.
    :param shares: the bytes reserved for a purpose, within the limit.
    :ivar reclaim: called with a purpose and a size before bytes are refused: it may drop what nobody needs. It is not
        called for windows, which are what it drops from.
    """

    def __init__(self, limit: int, shares: Mapping[str, int] | None = None) -> None:
        self.limit = limit
        self._shares = dict(shares or {})
        self._used: Counter[str] = Counter()
        self._denied: Counter[str] = Counter()
        self.reclaim: Callable[[str, int], None] = lambda purpose, size: None
        self._claims: Counter[str] = Counter()
        if limit < sum(self._shares.values()):
            raise MemoryLimitTooLow(f"{limit} bytes are less than the shares kept: {sum(self._shares.values())}")

    def take(self, purpose: str, size: int) -> bool:
        """
        Grant ``size`` bytes for a purpose. Return whether they were granted.

        :meth:`release` gives them back.
        """
        if size > self.free(purpose) and purpose != WINDOW:
            self.reclaim(purpose, size)
        if size > self.free(purpose):
            self._denied[purpose] += 1
            return False
        self._used[purpose] += size
        del self._claims[purpose]
        return True

    def claim(self, purpose: str, size: int) -> bool:
        """
        Grant ``size`` bytes like :meth:`take`; if they are not free, what is released is kept for them from now on.

        Call it again until it grants them: a crowd can delay, but not prevent that.
        """
        if self.take(purpose, size):
            return True
        self._claims[purpose] = min(size, self.limit)
        return False

    def release(self, purpose: str, size: int) -> None:
        """Return granted bytes to the budget."""
        if size > self._used[purpose]:
            raise ValueError(f"{size} bytes were never granted for {purpose}")
        self._used[purpose] -= size

    def free(self, purpose: str) -> int:
        """
        Return the number of bytes that could be granted for this purpose now.

        Bytes are kept for the shares and the claims of other purposes; but a claim does not take what is left of the
        share of this one.
        """
        left = self.limit - sum(self._used.values())
        others = (self._shares.keys() | self._claims.keys()) - {purpose}
        shares = {other: max(0, self._shares.get(other, 0) - self._used[other]) for other in others}
        kept = sum(max(shares[other], self._claims[other]) for other in others)
        own = self._shares.get(purpose, 0) - self._used[purpose]
        return max(left - kept, min(own, left - sum(shares.values())))

    @property
    def used(self) -> Mapping[str, int]:
        """The bytes that are granted now, by purpose."""
        return {purpose: self._used[purpose] for purpose in PURPOSES}

    @property
    def denied(self) -> Mapping[str, int]:
        """The number of refusals, by purpose."""
        return {purpose: self._denied[purpose] for purpose in PURPOSES}


def budget_within(memory_limit: int, resident: int, window_bytes: int) -> Budget:
    """
    Create the budget of a process that must stay below a limit.

    :param memory_limit: the bytes that the process and its workers may have resident.
    :param resident: the bytes that it has resident before it serves.
    :param window_bytes: the most that one window may hold. Windows always have that much, up to a mebibyte; and one
        refresh and 64 connections always have room, and without any sessions one worker.
    :raises MemoryLimitTooLow: if that does not fit.
    """
    shares = {
        WINDOW: min(window_bytes, WINDOW_SHARE_BYTES),
        REFRESH: REFRESH_BYTES,
        CONNECTIONS: 64 * CONNECTION_BYTES,
        SESSIONS: 64 * SESSION_BYTES,
    }
    least = resident + SLACK_BYTES + sum(shares.values()) + LEAST_WORKER_BYTES
    if memory_limit < least:
        raise MemoryLimitTooLow(f"must be {-(-least // 2**20)}MiB or more, with these options on this machine")
    return Budget(memory_limit - resident - SLACK_BYTES, shares)


def worker_bytes(budget: Budget) -> int:
    """Return the memory of one worker, its code included, within a budget of which nothing is used yet."""
    return min(MOST_WORKER_BYTES, max(LEAST_WORKER_BYTES, int(budget.free(REFRESH) * _WORKER_PART)))


def resident_bytes() -> int:
    """Return the number of bytes of this process that are resident now (``/proc/self/statm``, Linux)."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
