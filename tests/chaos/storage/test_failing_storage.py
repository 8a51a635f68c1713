"""Troubles with disk and memory, each for one daemon."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from random import Random
from unittest import SkipTest

from twisted.trial.unittest import SynchronousTestCase

from tests.chaos.delivery.troubles import UNSHARE, can_unshare
from tests.chaos.storage.failing_storage import attack


class FailingStorageTests(SynchronousTestCase):
    """A scanner on a full disk, and one whose folder is read-only; a reporter whose disk cannot be synced."""

    def test_full_disk(self) -> None:
        """The scan says what it found, and in one line what it could not write; the daemon goes on."""
        if not can_unshare():
            raise SkipTest("file systems cannot be mounted here")
        command = [*UNSHARE, sys.executable, "-m", "tests.chaos.storage.failing_storage", "--records", "2000"]
        ran = subprocess.run(
            [*command, "--only", "3", "--kind", "1", "--seconds", "4"], capture_output=True, text=True, check=False
        )
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)

    def check(self, kind: int, only: int) -> None:
        """Make one trouble for one daemon; skip the test where that cannot be done."""
        outcomes = attack(Random(1), Path(self.mktemp()), 2000, 4, kind, only)
        if not outcomes:
            raise SkipTest("this trouble cannot be made here")
        self.assertEqual([outcome.text() for outcome in outcomes if not outcome.holds], [])

    def test_unsynced(self) -> None:
        """A reporter whose disk cannot be synced refuses reports, and takes them later."""
        self.check(kind=2, only=2)

    def test_read_only(self) -> None:
        """A scanner whose folder is read-only says so in one line, and what it found; its report arrives later."""
        self.check(kind=3, only=3)

    def test_memory(self) -> None:
        """A reporter without memory goes on, and takes reports later."""
        self.check(kind=4, only=2)
