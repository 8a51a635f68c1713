"""The daemon's file of decisions: a change is seen, and a broken file keeps what was read."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.matching.watched_ignores import WatchedIgnores

ENTRY = '[[ignore]]\npackage = "bash"\nreason = "kept"\nexpires = 2090-01-01\n'


class WatchedIgnoresTests(SynchronousTestCase):
    """One file."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp())
        self.path.write_text("")
        self.watched = WatchedIgnores(self.path)

    def count(self) -> int | None:
        """Return the number of decisions if the file has changed."""
        found = self.watched.read_changed()
        return len(found.decisions) if found is not None else None

    def test_changes(self) -> None:
        """A file is read when its time, its size or its inode has changed, and else not."""
        self.assertIsNone(self.count())
        self.path.write_text(ENTRY)
        self.assertEqual((self.count(), self.count()), (1, None))
        facts = self.path.stat()
        other = self.path.with_name(f"{self.path.name}.new")
        other.write_text(ENTRY.replace("bash", "dash"))
        os.utime(other, ns=(facts.st_atime_ns, facts.st_mtime_ns))
        other.replace(self.path)
        self.assertEqual(self.count(), 1)
        os.utime(self.path, ns=(1, 1))
        self.assertEqual((self.count(), self.count()), (1, None))

    def test_broken(self) -> None:
        """A file that is broken or removed has no answer, and one line in the log until it can be used again."""
        with capturedLogs() as logs:
            self.path.write_text("[[ignore]]")
            self.assertEqual((self.count(), self.count()), (None, None))
            self.path.write_text("[[ignore]]\n")
            self.assertIsNone(self.count())
        self.assertEqual(len(logs), 1)
        with capturedLogs() as logs:
            self.path.unlink()
            self.assertEqual((self.count(), self.count()), (None, None))
            self.path.write_text(ENTRY)
            self.assertEqual(self.count(), 1)
        self.assertEqual(len(logs), 2)
        self.assertIn("there is no such file", logs[0]["why"])

    def test_no_file(self) -> None:
        """Without a file nothing is read."""
        watched = WatchedIgnores(None)
        self.assertEqual((watched.state(), watched.read_changed()), (None, None))

    def test_read_by_others(self) -> None:
        """The end of a trouble can be logged by whoever has read the file."""
        with capturedLogs() as logs:
            self.watched.end_trouble()
            self.path.unlink()
            self.count()
            self.watched.end_trouble()
        self.assertEqual(len(logs), 2)
