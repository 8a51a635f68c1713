"""State folders of five other versions, with the programs of this one; test modules of each store have all of them."""

from __future__ import annotations

from pathlib import Path
from random import Random

from twisted.trial.unittest import SynchronousTestCase

from tests.chaos.storage.state_versions import attack


class StateVersionsTests(SynchronousTestCase):
    """Real programs, and folders that they wrote."""

    def test_small(self) -> None:
        """Folders of earlier versions lose nothing, and later ones are refused in one line."""
        outcomes = attack(Random(4), Path(self.mktemp()), 5)
        self.assertEqual([outcome.text() for outcome in outcomes if not outcome.holds], [])
        self.assertTrue(all(outcome.times for outcome in outcomes))
