"""A few flipped bits, while the daemons run and while they are stopped."""

from __future__ import annotations

from pathlib import Path
from random import Random

from twisted.trial.unittest import SynchronousTestCase

from tests.chaos.storage.flipped_bits import attack


class FlippedBitsTests(SynchronousTestCase):
    """A server, a reporter and a scanner whose files are changed."""

    def test_flipped_bits(self) -> None:
        """Each is found and mended, or refused, and no scan has a wrong result."""
        outcome = attack(Random(3), Path(self.mktemp()), flips=2, records=3_000, seconds=60)
        self.assertTrue(outcome.holds, outcome.text())
