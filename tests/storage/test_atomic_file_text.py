"""The texts, descriptors and permissions of atomically written files."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.storage.atomic_file import WholeFile, create_atomically, sync_folder, write_atomically


class TextTests(SynchronousTestCase):
    """Texts that are not UTF-8."""

    def test_surrogates(self) -> None:
        """A file name that is not UTF-8 is written as its original bytes."""
        path = Path(self.mktemp())
        with WholeFile.at(path) as file:
            file.put("é\udcff\n")
        self.assertEqual(path.read_bytes(), b"\xc3\xa9\xff\n")


class DescriptorTests(SynchronousTestCase):
    """Open files, and permissions."""

    def test_closed(self) -> None:
        """No descriptor stays open, however often files are written."""
        folder = Path(self.mktemp())
        folder.mkdir()
        before = len(os.listdir("/proc/self/fd"))
        for number in range(5):
            write_atomically(folder / "a", b"x")
            create_atomically(folder / f"b{number}", b"x")
            with WholeFile.at(folder / "c") as file:
                file.put("x")
            sync_folder(folder)
        self.assertEqual(len(os.listdir("/proc/self/fd")), before)

    def test_mode(self) -> None:
        """An atomically written file has the mode of any new file, by the umask."""
        path = Path(self.mktemp())
        for mask, expected in ((0o022, 0o644), (0o077, 0o600), (0o000, 0o666)):
            path.unlink(missing_ok=True)
            self.addCleanup(os.umask, os.umask(mask))
            with WholeFile.at(path) as file:
                file.put("x")
            self.assertEqual(path.stat().st_mode & 0o777, expected)
