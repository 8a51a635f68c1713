"""PostgreSQL is stopped and frozen once, while scanners come."""

from __future__ import annotations

from pathlib import Path
from random import Random

from twisted.trial.unittest import SynchronousTestCase

from tests.chaos.storage.postgresql_away import attack


class PostgreSQLAwayTests(SynchronousTestCase):
    """A server with a PostgreSQL of its own; skipped where that is not installed."""

    def test_small(self) -> None:
        """``/ready`` tells, scans of lists in memory go on, others are refused in words, and all is back."""
        outcomes = attack(Random(1), Path(self.mktemp()), 1)
        self.assertEqual([outcome.text() for outcome in outcomes if not outcome.holds], [])
