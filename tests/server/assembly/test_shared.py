"""Tests for :mod:`patches.server.assembly.shared`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.server.assembly.shared import create_budget
from patches.server.budget import SLACK_BYTES, WINDOW
from patches.settings import BadSetting


class BudgetTests(SynchronousTestCase):
    """The budget of a process."""

    def test_shares(self) -> None:
        """Bytes that the process has resident already are not granted; a window has its share."""
        budget = create_budget(4 << 30, 1 << 20)
        self.assertLess(budget.limit, (4 << 30) - SLACK_BYTES)
        self.assertTrue(budget.take(WINDOW, 1 << 20))

    def test_too_low(self) -> None:
        """A limit that is too low is refused, with the lowest possible one."""
        with self.assertRaisesRegex(BadSetting, r"^--memory-limit 1MiB: must be \d+MiB or more"):
            create_budget(1 << 20, 1 << 20)
