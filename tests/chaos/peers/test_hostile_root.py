"""Hosts that are not to be trusted, some of them; all are tried by the program."""

from __future__ import annotations

from pathlib import Path
from random import Random

from twisted.trial.unittest import SynchronousTestCase

from tests.chaos.peers.hostile_root import attack


class HostileRootTests(SynchronousTestCase):
    """Eight ways to spoil a host."""

    def test_small(self) -> None:
        """A hostile host harms nobody, and is never clean."""
        outcome = attack(Random(2), Path(self.mktemp()), cases=8)
        self.assertTrue(outcome.holds, outcome.text())
