"""The killer, on a small scale; the whole of it is a program."""

from __future__ import annotations

from pathlib import Path
from random import Random

from twisted.trial.unittest import SynchronousTestCase

from tests.chaos.delivery.killer import attack


class KillerTests(SynchronousTestCase):
    """Each daemon, killed once at a random moment."""

    def test_small(self) -> None:
        """All that was acknowledged is there after the next start."""
        for outcome in attack(Random(3), Path(self.mktemp()), kills=1):
            self.assertTrue(outcome.holds, outcome.text())
