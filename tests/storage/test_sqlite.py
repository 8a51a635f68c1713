"""Tests for :mod:`patches.storage.sqlite`."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import Column, Integer, MetaData, Table, insert, select
from twisted.trial.unittest import SynchronousTestCase

from patches.storage.sqlite import DatabaseError, open_sqlite

METADATA = MetaData()
THINGS = Table("things", METADATA, Column("id", Integer, primary_key=True))


class OpenTests(SynchronousTestCase):
    """A database of the program."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp())

    def refused(self, version: int = 3) -> str:
        """Return the line with which a file is refused."""
        text = str(self.assertRaises(DatabaseError, open_sqlite, self.path, METADATA, version, ()))
        self.assertTrue(text.startswith(f"{self.path}: "), text)
        self.assertNotIn("\n", text)
        return text

    def test_again(self) -> None:
        """Data is kept when the database is opened again; pragmas are applied to every connection."""
        for count in range(3):
            engine = open_sqlite(self.path, METADATA, 3, ("journal_mode=WAL", "cache_size=-77"))
            with engine.begin() as connection:
                self.assertEqual(len(connection.execute(select(THINGS)).all()), count)
                connection.execute(insert(THINGS).values(id=count))
                self.assertEqual(connection.exec_driver_sql("PRAGMA cache_size").scalar(), -77)
                self.assertEqual(connection.exec_driver_sql("PRAGMA journal_mode").scalar(), "wal")
            engine.dispose()

    def test_versions(self) -> None:
        """Another version, older or newer, is refused, and not changed."""
        open_sqlite(self.path, METADATA, 3, ()).dispose()
        for version in (2, 4):
            self.assertIn(f"its version is 3; this program knows {version}", self.refused(version))
        open_sqlite(self.path, METADATA, 3, ()).dispose()

    def test_something_else(self) -> None:
        """A database of another program is refused and not changed; so are other files and folders."""
        database = sqlite3.connect(self.path)
        database.execute("CREATE TABLE other (a)")
        database.close()
        before = self.path.read_bytes()
        self.assertIn("the database of another program", self.refused())
        self.assertEqual(self.path.read_bytes(), before)
        self.path.write_bytes(b"no database" * 100)
        self.assertIn("not a database", self.refused())
        self.path.unlink()
        self.path.mkdir()
        self.assertIn("unable to open", self.refused())
