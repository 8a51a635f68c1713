"""Tests for :mod:`patches.scanner.memory_wall`, in a process of its own: a limit cannot be taken back."""

from __future__ import annotations

import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.memory_wall import MOST_DATA_BYTES


class MemoryWallTests(SynchronousTestCase):
    """The limit of the daemon's data."""

    def allocated(self, size: int, before: str = "") -> str:
        """Set the wall and allocate. Return what happened."""
        code = f"""
import resource
{before}
from patches.scanner.memory_wall import set_memory_wall
set_memory_wall()
try:
    bytearray({size})
except MemoryError:
    print("refused", resource.getrlimit(resource.RLIMIT_DATA)[0])
else:
    print("allowed")
"""
        return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()

    def test_wall(self) -> None:
        """An allocation beyond the limit fails, as an exception that a scan survives."""
        self.assertEqual(self.allocated(MOST_DATA_BYTES), f"refused {MOST_DATA_BYTES}")
        self.assertEqual(self.allocated(MOST_DATA_BYTES // 2), "allowed")

    def test_lower(self) -> None:
        """A lower limit of the operator stays."""
        lower = "resource.setrlimit(resource.RLIMIT_DATA, (100 << 20, 100 << 20))"
        self.assertEqual(self.allocated(200 << 20, lower), f"refused {100 << 20}")
