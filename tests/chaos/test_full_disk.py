"""The disk of a scanner becomes full, and has room again."""

from __future__ import annotations

import shutil
import subprocess
import sys
from unittest import SkipTest

from twisted.trial.unittest import SynchronousTestCase

UNSHARE = ["unshare", "--user", "--map-root-user", "--mount"]


class FullDiskTests(SynchronousTestCase):
    """A small disk in memory, which only this test can see."""

    def test_scanner(self) -> None:
        """The scan says what it found, and in one line what it could not write; the daemon goes on."""
        if shutil.which("unshare") is None or subprocess.run([*UNSHARE, "true"], check=False).returncode:
            raise SkipTest("file systems cannot be mounted here")
        command = [*UNSHARE, sys.executable, "-m", "tests.chaos.full_disk", "--records", "2000", "--only", "3"]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
