"""Tests for :mod:`patches.service.private_files`."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.internet.testing import EventLoggingObserver
from twisted.logger import formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from patches.service.private_files import SharedFolder, create_private_files, narrow_folder


class PrivateFilesTests(SynchronousTestCase):
    """Files and folders of state."""

    def setUp(self) -> None:
        self.addCleanup(os.umask, os.umask(0o022))
        self.observer = EventLoggingObserver.createWithCleanup(self, globalLogPublisher)
        self.folder = Path(self.mktemp())
        self.folder.mkdir(mode=0o755)

    def mode(self, path: Path) -> int:
        """Return the permissions of a file."""
        return path.stat().st_mode & 0o7777

    def test_created(self) -> None:
        """Files and folders that are created from then on are private."""
        create_private_files()
        (self.folder / "file").touch()
        (self.folder / "folder").mkdir()
        self.assertEqual([self.mode(self.folder / name) for name in ("file", "folder")], [0o600, 0o700])

    def test_narrowed(self) -> None:
        """A wider folder is made private, with its databases, and one line says so; other files stay as they are."""
        for name in ("catalogue.sqlite", "catalogue.sqlite-wal", "note"):
            (self.folder / name).touch(mode=0o644)
        narrow_folder(self.folder)
        narrow_folder(self.folder)
        self.assertEqual(self.mode(self.folder), 0o700)
        self.assertEqual([self.mode(each) for each in sorted(self.folder.iterdir())], [0o600, 0o600, 0o644])
        (said,) = [formatEvent(event) for event in self.observer]
        self.assertEqual(said, f"{self.folder} had mode 755: now only its owner can use it")

    def test_of_another(self) -> None:
        """A folder of another user is left as it is, and a line says that others can use it."""
        self.patch(os, "geteuid", lambda: self.folder.stat().st_uid + 1)
        narrow_folder(self.folder)
        self.assertEqual(self.mode(self.folder), 0o755)
        self.assertIn("another user's", formatEvent(next(iter(self.observer))))

    def test_shared(self) -> None:
        """A folder that belongs to everybody, such as that of temporary files, is refused."""
        self.folder.chmod(0o1777)
        self.assertRaises(SharedFolder, narrow_folder, self.folder)
        self.assertEqual(self.mode(self.folder), 0o1777)
