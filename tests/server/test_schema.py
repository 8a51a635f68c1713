"""Tests for :mod:`patches.server.schema`."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.server.schema import SCHEMA_VERSION, CatalogueError, open_database


class OpenTests(SynchronousTestCase):
    """Opening a catalogue's database."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp())

    def refusal(self) -> str:
        """Give what is said when it cannot be opened: one line that names the file."""
        text = str(self.assertRaises(CatalogueError, open_database, self.path))
        self.assertIn(str(self.path), text)
        self.assertNotIn("\n", text)
        return text

    def test_new(self) -> None:
        """A new one is made, with its version in it, and opens again."""
        open_database(self.path).dispose()
        open_database(self.path).dispose()
        with sqlite3.connect(self.path) as connection:
            self.assertEqual(connection.execute("SELECT version FROM schema").fetchall(), [(SCHEMA_VERSION,)])
        connection.close()

    def test_unknown_version(self) -> None:
        """One of a later version is refused, and left as it is."""
        open_database(self.path).dispose()
        with sqlite3.connect(self.path) as connection:
            connection.execute("UPDATE schema SET version = 7")
            connection.execute("DROP TABLE chunks")
        connection.close()
        self.assertIn("7", self.refusal())
        with sqlite3.connect(self.path) as connection:
            self.assertEqual(connection.execute("SELECT name FROM sqlite_master WHERE name = 'chunks'").fetchall(), [])
        connection.close()

    def test_no_database(self) -> None:
        """A file that is no database is refused, and left as it is."""
        self.path.write_bytes(b"this is a letter to my aunt\n" * 100)
        self.refusal()
        self.assertTrue(self.path.read_bytes().startswith(b"this is a letter"))

    def test_other_database(self) -> None:
        """So is a database of something else."""
        with sqlite3.connect(self.path) as connection:
            connection.execute("CREATE TABLE aunts (name TEXT)")
        connection.close()
        self.refusal()
        with sqlite3.connect(self.path) as connection:
            self.assertEqual(connection.execute("SELECT name FROM sqlite_master").fetchall(), [("aunts",)])
        connection.close()

    def test_half_made(self) -> None:
        """One that was made by half is made whole."""
        open_database(self.path).dispose()
        with sqlite3.connect(self.path) as connection:
            connection.execute("DELETE FROM schema")
            connection.execute("DROP TABLE snapshots")
        connection.close()
        open_database(self.path).dispose()
        with sqlite3.connect(self.path) as connection:
            self.assertEqual(connection.execute("SELECT count(*) FROM snapshots").fetchall(), [(0,)])
        connection.close()

    def test_no_folder(self) -> None:
        """A path at which nothing can be made is refused."""
        self.path = self.path / "absent" / "catalogue.sqlite"
        self.refusal()

    def test_readers_beside_a_writer(self) -> None:
        """It is read while it is written."""
        engine = open_database(self.path)
        self.addCleanup(engine.dispose)
        with engine.connect() as connection:
            self.assertEqual(connection.exec_driver_sql("PRAGMA journal_mode").scalar_one(), "wal")
