"""The memory budget of a server: the purposes of granted bytes, and what is reserved for each."""

from __future__ import annotations

from patches.service.budget import CONNECTION_BYTES, CONNECTIONS, LEAST_ABOVE_START, Budget, MemoryLimitTooLow
from patches.service.memory_governor import CLOSE_PART

#: The purposes of granted bytes.
WINDOW = "window"  # chunks held for sessions, prefetched ones and those still on their way out included
REFRESH = "refresh"  # reading a source and writing a snapshot
SESSIONS = "sessions"  # entries of the session table
RESPONSES = "responses"  # bodies that belong to one response only, until the kernel has them
PURPOSES = (WINDOW, REFRESH, SESSIONS, CONNECTIONS, RESPONSES)

#: Reserved for windows, which take more where others leave it.
WINDOW_SHARE_BYTES = 1024 * 1024
#: The bytes of an entry of the session table (measured: 1.1 KiB).
SESSION_BYTES = 2 * 1024
#: The most bytes of a refresh: a page of a source's list, a few details, one chunk being encoded, a page cache.
REFRESH_BYTES = 8 * 1024 * 1024
#: The least and the most memory of a worker, which parses the lists of one source, its code included. The largest known
#: list needs 44 MiB; most need less than 30.
LEAST_WORKER_BYTES, MOST_WORKER_BYTES = 36 * 1024 * 1024, 140 * 1024 * 1024
#: The part of the free memory that one worker may have: two workers and many connections have room.
_WORKER_PART = 0.4
#: Reserved for memory that is not counted: the allocator's gaps, threads, SQLite's page caches. At least so many bytes,
#: and the part of the limit from which the governor grants nothing more.
SLACK_BYTES, SLACK_PART = 16 * 1024 * 1024, 1.0 - CLOSE_PART


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
    needed = resident + sum(shares.values()) + LEAST_WORKER_BYTES
    least = max(resident + LEAST_ABOVE_START, needed + SLACK_BYTES, int(needed / CLOSE_PART))
    if memory_limit < least:
        raise MemoryLimitTooLow(f"must be {-(-least // 2**20)}MiB or more, with these options on this machine")
    slack = max(SLACK_BYTES, int(memory_limit * SLACK_PART))
    return Budget(memory_limit - resident - slack, shares)


def worker_bytes(budget: Budget) -> int:
    """Return the memory of one worker, its code included, within a budget of which nothing is used yet."""
    return min(MOST_WORKER_BYTES, max(LEAST_WORKER_BYTES, int(budget.free(REFRESH) * _WORKER_PART)))
