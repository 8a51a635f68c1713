"""Thirty scans of one scanner's daemon."""

from __future__ import annotations

from pathlib import Path
from random import Random

from twisted.trial.unittest import SynchronousTestCase

from tests.chaos.lifecycle.endurance import attack


class EnduranceTests(SynchronousTestCase):
    """A short run, which finds what grows fast; what grows slowly takes the whole program."""

    def test_small(self) -> None:
        """Neither descriptors nor files grow with the number of scans, and no daemon logs a traceback."""
        outcomes = attack(Random(1), Path(self.mktemp()), 30, 10)
        slow = ("resident memory", "write-ahead", "database", "state folder")  # have not settled, or reports wait in it
        found = [outcome for outcome in outcomes if not any(word in outcome.promise for word in slow)]
        self.assertEqual([outcome.text() for outcome in found if not outcome.holds], [])
        self.assertGreater(len(found), 4)
