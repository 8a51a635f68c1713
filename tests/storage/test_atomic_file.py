"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.storage.atomic_file import Unwritable, WholeFile


class WholeFileTests(SynchronousTestCase):
    """A file that is written whole or not at all."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.path = self.folder / "out.json"

    def test_put(self) -> None:
        """It has its new content, and nothing else is in the folder."""
        self.path.write_text("old")
        with WholeFile.at(self.path) as file:
            self.assertEqual(self.path.read_text(), "old")
            file.put("new")
        self.assertEqual(self.path.read_text(), "new")
        self.assertEqual(os.listdir(self.folder), ["out.json"])

    def test_given_up(self) -> None:
        """If nothing was put, what was there stays, and nothing is left."""
        self.path.write_text("old")
        with self.assertRaises(KeyError), WholeFile.at(self.path):
            raise KeyError
        self.assertEqual((self.path.read_text(), os.listdir(self.folder)), ("old", ["out.json"]))

    def test_link(self) -> None:
        """A link stays a link; what it points to is replaced."""
        (self.folder / "link").symlink_to("out.json")
        with WholeFile.at(self.folder / "link") as file:
            file.put("new")
        self.assertTrue((self.folder / "link").is_symlink())
        self.assertEqual(self.path.read_text(), "new")

    def test_unwritable(self) -> None:
        """What cannot be written is known at once, in a line: no such folder, a folder, a device."""
        for path in (self.folder / "none/x", self.folder, Path("/dev/null"), self.folder / ("x" * 300)):
            text = str(self.assertRaises(Unwritable, WholeFile.at, path))
            self.assertTrue(text.startswith(f"{path}: "), text)
        self.assertFalse(Path("/dev/null").is_file())
