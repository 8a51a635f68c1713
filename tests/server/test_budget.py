"""Tests for :mod:`patches.server.budget`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.server.budget import (
    LEAST_WORKER_BYTES,
    MOST_WORKER_BYTES,
    REFRESH,
    REFRESH_BYTES,
    RESPONSES,
    SESSIONS,
    SLACK_BYTES,
    WINDOW,
    budget_within,
    worker_bytes,
)
from patches.service.budget import CONNECTIONS, Budget, MemoryLimitTooLow, resident_bytes

MIB = 1 << 20


class WorkerTests(SynchronousTestCase):
    """The memory of workers."""

    def test_worker(self) -> None:
        """A worker has a part of what is free, within its bounds; two of them, and many connections, have room."""
        self.assertEqual(worker_bytes(Budget(20 * MIB)), LEAST_WORKER_BYTES)
        self.assertEqual(worker_bytes(Budget(150 * MIB)), 60 * MIB)
        self.assertEqual(worker_bytes(Budget(4096 * MIB)), MOST_WORKER_BYTES)
        budget = budget_within(256 * MIB, 80 * MIB, MIB)
        for _ in range(2):
            self.assertTrue(budget.take(REFRESH, REFRESH_BYTES + worker_bytes(budget_within(256 * MIB, 80 * MIB, MIB))))
        self.assertGreater(budget.free(CONNECTIONS), 10 * MIB)


class ProcessTests(SynchronousTestCase):
    """The budget of a process."""

    def test_room(self) -> None:
        """The resident size and the slack are subtracted from the limit; what is granted never closes the governor."""
        self.assertEqual(budget_within(150 * MIB, 60 * MIB, MIB).limit, 90 * MIB - SLACK_BYTES)
        self.assertEqual(budget_within(1000 * MIB, 60 * MIB, MIB).limit // MIB, 840)

    def test_always_served(self) -> None:
        """A window, a refresh, and some sessions and connections have memory whatever the responses take."""
        budget = budget_within(256 * MIB, 60 * MIB, MIB)
        budget.take(RESPONSES, budget.free(RESPONSES))
        for purpose, size in ((WINDOW, MIB), (REFRESH, 8 * MIB), (CONNECTIONS, MIB), (SESSIONS, 128 * 1024)):
            self.assertTrue(budget.take(purpose, size), purpose)

    def test_too_low(self) -> None:
        """A limit that is too low is refused, and the error states the lowest possible one."""
        error = self.assertRaises(MemoryLimitTooLow, budget_within, 64 * MIB, 60 * MIB, MIB)
        least = int(str(error).removeprefix("must be ").partition("MiB")[0])
        budget_within(least * MIB, 60 * MIB, MIB)
        self.assertRaises(MemoryLimitTooLow, budget_within, (least - 1) * MIB, 60 * MIB, MIB)

    def test_resident(self) -> None:
        """The resident size of this process is some megabytes."""
        self.assertGreater(resident_bytes(), 5 * MIB)
