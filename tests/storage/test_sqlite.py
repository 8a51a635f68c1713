"""Tests for :mod:`patches.storage.sqlite`."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import Column, Connection, Integer, MetaData, Table, insert, select
from twisted.trial.unittest import SynchronousTestCase

from patches.storage.sqlite import DatabaseError, Upgrade, open_sqlite

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

    def test_upgrade(self) -> None:
        """A database of an earlier version is upgraded step by step, if every step is known."""
        open_sqlite(self.path, METADATA, 1, ()).dispose()
        steps: list[int] = []
        known: dict[int, Upgrade] = {2: lambda _: steps.append(2), 3: lambda _: steps.append(3)}
        self.assertRaises(DatabaseError, open_sqlite, self.path, METADATA, 3, (), known)
        known[1] = lambda connection: steps.append(1) or connection.execute(insert(THINGS).values(id=7))  # type: ignore[func-returns-value]
        engine = open_sqlite(self.path, METADATA, 3, (), known)
        with engine.connect() as connection:
            self.assertEqual(connection.execute(select(THINGS.c.id)).scalars().all(), [7])
        engine.dispose()
        open_sqlite(self.path, METADATA, 3, (), known).dispose()
        self.assertEqual(steps, [1, 2])

    def test_failed_upgrade(self) -> None:
        """An upgrade that fails changes nothing, tables neither; it is done when the database is opened again."""
        open_sqlite(self.path, METADATA, 1, ()).dispose()

        def fail(connection: Connection) -> None:
            connection.exec_driver_sql("CREATE TABLE more (a)")
            raise ZeroDivisionError()

        self.assertRaises(ZeroDivisionError, open_sqlite, self.path, METADATA, 2, (), {1: fail})
        with sqlite3.connect(self.path) as database:
            self.assertEqual(
                [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE name = 'more'")], []
            )
        open_sqlite(self.path, METADATA, 2, (), {1: lambda _: None}).dispose()

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
