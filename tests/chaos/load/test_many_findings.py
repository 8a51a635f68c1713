"""A host with many findings, on a small scale; the large one is a program."""

from __future__ import annotations

from pathlib import Path
from random import Random

from twisted.trial.unittest import SynchronousTestCase

from tests.chaos.load.many_findings import FORMATS, attack


class ManyFindingsTests(SynchronousTestCase):
    """The memory of a scan."""

    def test_formats(self) -> None:
        """It is bounded by the number of findings in each format."""
        for outcome in attack(Random(7), Path(self.mktemp()), vulnerabilities=4000, packages=1000, findings=4000):
            self.assertTrue(outcome.holds, outcome.text())
        self.assertEqual(len(FORMATS), 11)
