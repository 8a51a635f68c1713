"""Paths stay inside a host's root folder."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.inventory.rootfs import open_inside, resolve_inside


class InsideTests(SynchronousTestCase):
    """Links are followed as in a process with this root folder."""

    def setUp(self) -> None:
        self.root = Path(self.mktemp())
        (self.root / "usr/lib").mkdir(parents=True)
        (self.root / "etc").mkdir()
        (self.root / "usr/lib/os-release").write_text("ID=debian\n")

    def test_relative_link(self) -> None:
        """A relative link starts at its own folder."""
        (self.root / "etc/os-release").symlink_to("../usr/lib/os-release")
        self.assertEqual(resolve_inside(self.root, "etc/os-release"), self.root / "usr/lib/os-release")

    def test_absolute_link(self) -> None:
        """An absolute link starts at the root folder, also for folders in the middle of a path."""
        (self.root / "lib").symlink_to("/usr/lib")
        self.assertEqual(resolve_inside(self.root, "/lib/os-release"), self.root / "usr/lib/os-release")
        (self.root / "etc/os-release").symlink_to("/lib/os-release")
        self.assertEqual(resolve_inside(self.root, "etc/os-release"), self.root / "usr/lib/os-release")

    def test_above_root(self) -> None:
        """A path cannot lead above the root folder."""
        (self.root / "etc/up").symlink_to("../../../../../../usr")
        self.assertEqual(resolve_inside(self.root, "etc/up/lib"), self.root / "usr/lib")
        self.assertEqual(resolve_inside(self.root, "../../etc"), self.root / "etc")

    def test_loop(self) -> None:
        """A loop of links is an error."""
        (self.root / "a").symlink_to("b")
        (self.root / "b").symlink_to("a")
        self.assertRaises(OSError, resolve_inside, self.root, "a")

    def test_pipe(self) -> None:
        """A pipe is refused without waiting for its other end."""
        os.mkfifo(self.root / "etc/os-release")
        self.assertRaises(OSError, open_inside, self.root, "etc/os-release")

    def test_open(self) -> None:
        """A file is opened to read bytes."""
        with open_inside(self.root, "usr/lib/os-release") as file:
            self.assertEqual(file.read(), b"ID=debian\n")
