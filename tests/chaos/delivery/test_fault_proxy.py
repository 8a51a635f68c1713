"""The link that spoils what passes, with each kind of fault once; the whole of it is a program."""

from __future__ import annotations

import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

from tests.chaos.delivery.faulty_link import FAULTS


class FaultProxyTests(SynchronousTestCase):
    """Scans in a process of their own, which has the reactor."""

    def test_small(self) -> None:
        """A scan that says that it is complete is right, whatever happens on the way."""
        command = [sys.executable, "-m", "tests.chaos.delivery.fault_proxy", "--runs", str(len(FAULTS)), "--seed", "4"]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)
        self.assertEqual((ran.returncode, "holds" in ran.stdout), (0, True), ran.stdout + ran.stderr)
