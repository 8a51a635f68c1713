"""Tests for :mod:`patches.cli.standard_output`."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.cli.standard_output import checked_output
from patches.scanner.output.exit_codes import ERROR
from tests.integration.sample_host import write_host


class StandardOutputTests(SynchronousTestCase):
    """Commands whose output cannot be written."""

    def test_output(self) -> None:
        """A command whose output cannot be written, for whatever reason, ends with one line and an exit code for it."""
        root = write_host(Path(self.mktemp()).absolute(), "debian", "12", {"bash": "5"})
        inventory = f"inventory --root {root}"
        for words in ("--help", "--version", inventory, f"{inventory} --format json", "demo"):
            for target, why in ((">/dev/full", "No space left on device"), (">&-", "Bad file descriptor")):
                command = f"exec {sys.executable} -c 'from patches.cli.entry import main; main()' {words} {target}"
                ended = subprocess.run(["sh", "-c", command], timeout=60, check=False, capture_output=True, text=True)
                said = f"Error: standard output cannot be written: {why}\n"
                self.assertEqual((ended.returncode, ended.stderr), (ERROR, said), (words, target))

    def test_others(self) -> None:
        """An error of a file is not taken for one of the output."""

        def fail() -> None:
            with checked_output():
                Path("/dev/full").write_text("much")

        self.assertEqual(self.assertRaises(OSError, fail).errno, errno.ENOSPC)
