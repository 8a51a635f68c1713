"""The last wall of the daemon's memory, lowered so that it is met at once."""

from __future__ import annotations

import shutil
from pathlib import Path
from random import Random
from unittest import SkipTest

from twisted.trial.unittest import SynchronousTestCase

from tests.chaos.load.memory_wall import attack


class MemoryWallTests(SynchronousTestCase):
    """A daemon that the kernel refuses memory."""

    def test_reported(self) -> None:
        """The daemon lives, and says why its scan failed."""
        if shutil.which("prlimit") is None:
            raise SkipTest("prlimit is not installed")
        outcome = attack(Random(7), Path(self.mktemp()), data_mib=64, findings=90_000, reports=1, seconds=120)
        self.assertTrue(outcome.holds, outcome.text())
