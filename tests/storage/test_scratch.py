"""Tests for :mod:`patches.storage.scratch`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

from twisted.trial.unittest import SynchronousTestCase

from patches.storage.scratch import connect_sqlite, open_scratch, user_version


class ScratchTests(SynchronousTestCase):
    """Scratch databases."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp())

    def test_empty(self) -> None:
        """A scratch database is empty, whatever the file contained."""
        self.path.write_bytes(b"not a database")
        database = open_scratch(self.path)
        self.addCleanup(database.close)
        self.assertEqual(database.execute("SELECT name FROM sqlite_master").fetchall(), [])

    def test_pragmas(self) -> None:
        """The pragmas are applied, and a file that is not a database leaves no connection open."""
        database = connect_sqlite(self.path, ("cache_size=-77",))
        self.addCleanup(database.close)
        self.assertEqual(database.execute("PRAGMA cache_size").fetchone(), (-77,))
        broken = Path(self.mktemp())
        broken.write_bytes(b"not a database" * 100)
        self.assertRaises(sqlite3.DatabaseError, connect_sqlite, broken, ("journal_mode=WAL",))

    def test_one_file(self) -> None:
        """It is one file, without a journal, and writes need no commit."""
        path = Path(self.mktemp())
        database = open_scratch(path)
        self.addCleanup(database.close)
        database.execute("CREATE TABLE t (a)")
        database.execute("INSERT INTO t VALUES (1)")
        self.assertFalse(database.in_transaction)
        self.assertEqual(list(path.parent.glob(f"{path.name}*")), [path])

    def test_threads_in_turn(self) -> None:
        """Another thread may use it afterwards."""
        database = open_scratch(self.path)
        self.addCleanup(database.close)
        thread = Thread(target=database.execute, args=("CREATE TABLE t (a)",))
        thread.start()
        thread.join()
        self.assertEqual(database.execute("SELECT count(*) FROM t").fetchone(), (0,))

    def test_threads_at_once(self) -> None:
        """Simultaneous use by two threads is a bug, and raises."""
        database = open_scratch(self.path)
        self.addCleanup(database.close)
        database.execute("CREATE TABLE t (a)")
        begun, go_on = Event(), Event()

        def rows() -> Iterator[tuple[int]]:
            begun.set()
            go_on.wait(10)
            yield (1,)

        thread = Thread(target=database.executemany, args=("INSERT INTO t VALUES (?)", rows()))
        thread.start()
        begun.wait(10)
        try:
            self.assertRaises(RuntimeError, database.execute, "SELECT 1")
        finally:
            go_on.set()
            thread.join()
        self.assertEqual(database.execute("SELECT a FROM t").fetchall(), [(1,)])

    def test_version(self) -> None:
        """The version of a file is read without changing it; a file that is absent is not created."""
        path = Path(self.mktemp())
        self.assertIsNone(user_version(path))
        self.assertFalse(path.exists())
        connect_sqlite(path, ("user_version=7",)).close()
        before = path.read_bytes()
        self.assertEqual((user_version(path), path.read_bytes()), (7, before))
        path.write_bytes(b"nonsense" * 1000)
        self.assertIsNone(user_version(path))
