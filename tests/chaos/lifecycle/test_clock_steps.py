"""The time of day is set, on a small scale; ``python -m tests.chaos.lifecycle.clock_steps`` has the full one."""

from __future__ import annotations

from pathlib import Path
from random import Random
from unittest import SkipTest

from twisted.trial.unittest import SynchronousTestCase

from tests.chaos.lifecycle.clock_steps import attack
from tests.chaos.lifecycle.wall_clock import library


class ClockStepTests(SynchronousTestCase):
    """Real daemons whose time of day is set."""

    def test_steps(self) -> None:
        """When it is set by an hour or a year, forward or back, nothing changes but stamps."""
        if library() is None:
            raise SkipTest("libfaketime is not installed")
        outcome = attack(Random(25), Path(self.mktemp()), seconds=9, timeout=8, steps=2)
        self.assertTrue(outcome.holds, outcome.text())
