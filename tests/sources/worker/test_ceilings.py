"""Tests for :mod:`patches.sources.worker.ceilings`, in processes of their own."""

from __future__ import annotations

import signal
import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

SET = "import os, resource, sys\nfrom patches.sources.worker.ceilings import *\n"


class CeilingTests(SynchronousTestCase):
    """Ceilings that a process sets for itself."""

    def run_code(self, code: str) -> subprocess.CompletedProcess[str]:
        """Run code behind the imports."""
        return subprocess.run([sys.executable, "-c", SET + code], capture_output=True, text=True, timeout=60)

    def test_memory(self) -> None:
        """Memory beyond the ceiling is refused to the process, which cannot raise the ceiling."""
        ran = self.run_code(
            "set_ceilings(40 << 20)\n"
            "try:\n    b'x' * (60 << 20)\nexcept MemoryError:\n    print('refused')\n"
            "print(len(b'x' * (10 << 20)) >> 20, resource.getrlimit(resource.RLIMIT_DATA)[1] >> 20,"
            " resource.getrlimit(resource.RLIMIT_CORE)[1], os.nice(0))"
        )
        self.assertEqual(ran.stdout.split(), ["refused", "10", "40", "0", "5"], ran.stderr)

    def test_cpu(self) -> None:
        """A process that uses the processor for too long is ended by the kernel."""
        self.assertEqual(self.run_code("allow_cpu(1)\nwhile True: pass").returncode, -signal.SIGXCPU)

    def test_parent(self) -> None:
        """A process whose parent has ended already ends."""
        self.assertEqual(self.run_code("end_with_parent(1 if os.getppid() != 1 else 2)\nprint(1)").returncode, 1)
