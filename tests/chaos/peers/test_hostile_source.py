"""A hostile source, one; all are tried by the program."""

from __future__ import annotations

from pathlib import Path
from random import Random

from twisted.trial.unittest import SynchronousTestCase

from tests.chaos.peers.hostile_source import attack


class HostileSourceTests(SynchronousTestCase):
    """One hostile list beside a good one."""

    def test_small(self) -> None:
        """The good list is served, the other one is an error."""
        outcome = attack(Random(2), Path(self.mktemp()), limit=256, only=1)
        self.assertTrue(outcome.holds, outcome.text())
