"""Signals in the first and the last moments of each daemon."""

from __future__ import annotations

from pathlib import Path
from random import Random

from twisted.trial.unittest import SynchronousTestCase

from tests.chaos.lifecycle.early_signals import attack


class EarlySignalsTests(SynchronousTestCase):
    """The three daemons."""

    def test_signals(self) -> None:
        """None of the signals ends a daemon that starts or stops."""
        outcome = attack(Random(1), Path(self.mktemp()), starts=3)
        self.assertTrue(outcome.holds, outcome.text())
