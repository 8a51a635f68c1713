"""A small NVD; a whole one is read by the program."""

from __future__ import annotations

from pathlib import Path
from random import Random

from twisted.trial.unittest import SynchronousTestCase

from tests.chaos.peers.nvd_volume import attack


class NvdVolumeTests(SynchronousTestCase):
    """Four small years, and a server that is killed while it reads them."""

    def test_small(self) -> None:
        """Each year is read once, but for the one that was interrupted; memory stays below its limits."""
        outcome = attack(Random(3), Path(self.mktemp()), mib=24, years=4, limit=256)
        self.assertTrue(outcome.holds, outcome.text())
