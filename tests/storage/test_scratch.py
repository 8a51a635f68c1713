"""Tests for :mod:`patches.storage.scratch`."""

from __future__ import annotations

import threading
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.storage.scratch import open_scratch


class ScratchTests(SynchronousTestCase):
    """A scratch database."""

    def test_empty(self) -> None:
        """Whatever was there is thrown away, also what is no database."""
        path = Path(self.mktemp())
        path.write_text("no database")
        for _ in range(2):
            database = open_scratch(path)
            self.assertEqual(database.execute("SELECT count(*) FROM sqlite_master").fetchone(), (0,))
            database.execute("CREATE TABLE t (a)")
            database.close()

    def test_one_file(self) -> None:
        """It is one file, without a journal, and what is written is there without a commit."""
        path = Path(self.mktemp())
        database = open_scratch(path)
        self.addCleanup(database.close)
        database.execute("CREATE TABLE t (a)")
        database.execute("INSERT INTO t VALUES (1)")
        self.assertFalse(database.in_transaction)
        self.assertEqual(list(path.parent.glob(f"{path.name}*")), [path])

    def test_threads(self) -> None:
        """Another thread may use it."""
        database = open_scratch(Path(self.mktemp()))
        self.addCleanup(database.close)
        found: list[object] = []
        thread = threading.Thread(target=lambda: found.append(database.execute("SELECT 7").fetchone()))
        thread.start()
        thread.join(10)
        self.assertEqual(found, [(7,)])
