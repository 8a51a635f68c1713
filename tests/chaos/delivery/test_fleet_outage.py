"""A fleet whose server is away, a small one; a large one is a program."""

from __future__ import annotations

import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase


class FleetOutageTests(SynchronousTestCase):
    """Scanners in a process of their own, which has the reactor."""

    def test_small(self) -> None:
        """Every scanner has a complete scan soon after its server is back."""
        command = [sys.executable, "-m", "tests.chaos.delivery.fleet_outage", "--scanners", "10", "--seconds", "2"]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)
        self.assertEqual((ran.returncode, "holds" in ran.stdout), (0, True), ran.stdout + ran.stderr)
