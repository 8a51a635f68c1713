"""Tests for :mod:`patches.reporter.schema`."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import inspect
from sqlalchemy.exc import IntegrityError
from twisted.trial.unittest import SynchronousTestCase

from patches.reporter.schema import HOSTS, METADATA, StoreError, open_database


class OpenTests(SynchronousTestCase):
    """Databases of reports."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp())

    def test_new(self) -> None:
        """A database that does not exist is created with every declared table and column, and opens again."""
        for _ in range(2):
            engine = open_database(self.path)
            self.addCleanup(engine.dispose)
            inspector = inspect(engine)
            for table in METADATA.sorted_tables:
                columns = {column["name"] for column in inspector.get_columns(table.name)}
                self.assertEqual(columns, set(table.columns.keys()), table.name)

    def test_durable(self) -> None:
        """An acknowledged report survives a power failure, and readers do not wait for a writer."""
        with open_database(self.path).connect() as connection:
            self.assertEqual(connection.exec_driver_sql("PRAGMA journal_mode").scalar_one(), "wal")
            self.assertEqual(connection.exec_driver_sql("PRAGMA synchronous").scalar_one(), 2)

    def test_one_host(self) -> None:
        """A host is there once."""
        row = {"host": "web-1", "platform": None, "last": "1", "shown": "1"}
        with open_database(self.path).begin() as connection:
            connection.execute(HOSTS.insert(), row)
            self.assertRaises(IntegrityError, connection.execute, HOSTS.insert(), row)

    def test_refused(self) -> None:
        """A file of another kind, a folder, and a path in a folder that does not exist are refused in one line."""
        self.path.write_bytes(b"something else" * 100)
        folder = Path(self.mktemp())
        folder.mkdir()
        for path in (self.path, folder, folder / "absent" / "reports.sqlite"):
            self.assertNotIn("\n", str(self.assertRaises(StoreError, open_database, path)))
        self.assertTrue(self.path.read_bytes().startswith(b"something else"))

    def test_other_program(self) -> None:
        """A database of another program is refused, and left as it is."""
        engine = open_database(self.path)
        with engine.begin() as connection:
            for table in inspect(connection).get_table_names():
                connection.exec_driver_sql(f"DROP TABLE {table}")
            connection.exec_driver_sql("CREATE TABLE aunts (name TEXT)")
        engine.dispose()
        self.assertRaises(StoreError, open_database, self.path)
