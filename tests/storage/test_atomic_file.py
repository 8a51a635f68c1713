"""Tests for :mod:`patches.storage.atomic_file`."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.storage.atomic_file import Unwritable, WholeFile


class WholeFileTests(SynchronousTestCase):
    """A file that is written atomically."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.path = self.folder / "out.json"

    def test_put(self) -> None:
        """The file has its new content, and no other file is in the folder."""
        self.path.write_text("old")
        with WholeFile.at(self.path) as file:
            self.assertEqual(self.path.read_text(), "old")
            file.put("new")
        self.assertEqual(self.path.read_text(), "new")
        self.assertEqual(os.listdir(self.folder), ["out.json"])

    def test_given_up(self) -> None:
        """If no content is written, the old file stays, and no other file is left."""
        self.path.write_text("old")
        with self.assertRaises(KeyError), WholeFile.at(self.path):
            raise KeyError
        self.assertEqual((self.path.read_text(), os.listdir(self.folder)), ("old", ["out.json"]))

    def test_link(self) -> None:
        """A link stays a link; its target is replaced."""
        (self.folder / "link").symlink_to("out.json")
        with WholeFile.at(self.folder / "link") as file:
            file.put("new")
        self.assertTrue((self.folder / "link").is_symlink())
        self.assertEqual(self.path.read_text(), "new")

    def test_unwritable(self) -> None:
        """A path that cannot be written to is refused at once, in one line: a missing folder, a folder, a device."""
        for path in (self.folder / "none/x", self.folder, Path("/dev/null"), self.folder / ("x" * 300)):
            text = str(self.assertRaises(Unwritable, WholeFile.at, path))
            self.assertTrue(text.startswith(f"{path}: "), text)
        self.assertFalse(Path("/dev/null").is_file())
