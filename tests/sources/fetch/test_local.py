"""Tests for :mod:`patches.sources.fetch.local`."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred, execute
from twisted.trial.unittest import SynchronousTestCase

from patches.errors import SourceError
from patches.sources.fetch.local import LocalFiles


def at_once(work: Callable[..., Any], *args: Any) -> Deferred[Any]:
    """Run a blocking call."""
    return execute(work, *args)


class LocalTests(SynchronousTestCase):
    """Local files and folders."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        (self.folder / "sub").mkdir(parents=True)
        self.file = self.folder / "sub/a.json"
        self.write("one")

    def write(self, text: str, time: int = 1) -> None:
        """Write the file, at some time."""
        self.file.write_text(text)
        os.utime(self.file, (time, time))

    def state(self, path: Path) -> str:
        """Return the state of a file or a folder."""
        fetched = self.successResultOf(ensureDeferred(LocalFiles(at_once)(str(path))))
        self.assertEqual(fetched.path, path)
        return fetched.state

    def test_changes(self) -> None:
        """The state of a file, and that of its folder, changes with its length and its time, and with nothing else."""
        for path in (self.file, self.folder):
            self.write("one")
            first = self.state(path)
            self.assertEqual(self.state(path), first)
            self.write("longer")
            self.assertNotEqual(self.state(path), first)
            self.write("two", time=2)
            self.assertNotEqual(self.state(path), first)
            self.write("two", time=1)
            self.assertEqual(self.state(path), first)

    def test_members(self) -> None:
        """The state of a folder changes when a file is added, removed or renamed."""
        states = [self.state(self.folder)]
        (self.folder / "b.json").write_text("two")
        os.utime(self.folder / "b.json", (1, 1))
        states.append(self.state(self.folder))
        (self.folder / "b.json").rename(self.folder / "c.json")
        states.append(self.state(self.folder))
        self.assertEqual(len(set(states)), 3)
        (self.folder / "c.json").unlink()
        self.assertEqual(self.state(self.folder), states[0])

    def test_absent(self) -> None:
        """A missing path is an error in one line that names it."""
        failure = self.failureResultOf(ensureDeferred(LocalFiles(at_once)("/no/such/file")), SourceError)
        self.assertEqual(str(failure.value), "/no/such/file: No such file or directory")
