"""Outages on a clock that is moved, a few; the whole of it is a program."""

from __future__ import annotations

from pathlib import Path
from random import Random

from twisted.trial.unittest import SynchronousTestCase

from tests.chaos.delivery.outage import KINDS, attack


class OutageTests(SynchronousTestCase):
    """An outage of each kind."""

    def test_small(self) -> None:
        """The next complete scan is soon after the outage."""
        for outcome in attack(Random(11), Path(self.mktemp()), seeds=len(KINDS)):
            self.assertTrue(outcome.holds, outcome.text())
