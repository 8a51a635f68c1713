"""Tests for :mod:`patches.cli.entry`."""

from __future__ import annotations

import signal
import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

_INTERRUPTED = """
import signal, sys

class Interrupts:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "patches.cli.main":
            signal.raise_signal(signal.SIGINT)

signal.signal(signal.SIGINT, signal.default_int_handler)  # what a background job of a shell ignores is inherited
sys.meta_path.insert(0, Interrupts)
from patches.cli.entry import main
main()
"""


class EntryTests(SynchronousTestCase):
    """The command, as the system starts it."""

    def test_interrupted(self) -> None:
        """Ctrl-C while modules are imported ends the command without a word."""
        ended = subprocess.run([sys.executable, "-c", _INTERRUPTED], timeout=30, check=False, capture_output=True)
        self.assertEqual((ended.returncode, ended.stdout, ended.stderr), (-signal.SIGINT, b"", b""))
