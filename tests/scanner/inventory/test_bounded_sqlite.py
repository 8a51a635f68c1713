"""Tests for :mod:`patches.scanner.inventory.bounded_sqlite`."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.inventory.bounded_sqlite import ReadLimits, RefusedDatabase, read_rows

LIMITS = ReadLimits(seconds=10, rows=1000, value_bytes=100_000)
#: A query that does not end in a person's life, in constant memory.
ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x AS a, x AS b FROM n"


class RowsTests(SynchronousTestCase):
    """Databases that the tests create."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp())

    def create(self, *statements: str) -> None:
        """Create the database."""
        self.path.unlink(missing_ok=True)
        with closing(sqlite3.connect(self.path)) as database, database:
            for statement in statements:
                database.execute(statement)

    def rows(self, limits: ReadLimits = LIMITS, tables: Sequence[str] = ("T",)) -> list[tuple[Any, ...]]:
        """Read the database."""
        return list(read_rows(self.path, tables, "SELECT a, b FROM T", limits))

    def test_rows(self) -> None:
        """The rows of a plain table are read; triggers and indexes beside it have no effect."""
        self.create(
            "CREATE TABLE T (a INTEGER PRIMARY KEY, b BLOB)",
            "INSERT INTO T VALUES (1, x'00ff'), (2, NULL)",
            "CREATE INDEX i ON T (b)",
            "CREATE TRIGGER g AFTER INSERT ON T BEGIN DELETE FROM T; END",
        )
        self.assertEqual(self.rows(), [(1, b"\x00\xff"), (2, None)])
        self.assertEqual(list(self.path.parent.glob(f"{self.path.name}-*")), [])

    def test_other_things(self) -> None:
        """A view, a virtual table or computed columns in place of the table are refused before anything is read."""
        for statements in (
            (f"CREATE VIEW T AS {ENDLESS}",),
            (f"CREATE VIEW t AS {ENDLESS}",),
            ("CREATE TABLE U (a, b)", "CREATE INDEX T ON U (a)"),
            ("CREATE VIRTUAL TABLE T USING fts5 (a, b)",),
            ("CREATE TABLE T (a, b AS (zeroblob(99999999)))",),
            ("CREATE TABLE U (a, b)",),
        ):
            self.create(*statements)
            start = time.monotonic()
            error = self.assertRaises(RefusedDatabase, self.rows)
            self.assertIn("T is no ", str(error))
            self.assertNotIn("\n", str(error))
            self.assertLess(time.monotonic() - start, 5)

    def test_endless(self) -> None:
        """A query that does not end is ended after the time that is allowed."""
        self.create(f"CREATE VIEW T AS SELECT count(*) AS a, 1 AS b FROM ({ENDLESS})")
        error = self.assertRaises(RefusedDatabase, self.rows, ReadLimits(0.2, 1000, 1000), ())
        self.assertIn("does not end within 0.2 seconds", str(error))

    def test_limits(self) -> None:
        """Too many rows, and a value that is too long, are refused."""
        self.create("CREATE TABLE T (a, b)", "INSERT INTO T VALUES (1, zeroblob(1000)), (2, 3)")
        self.assertEqual(len(self.rows(ReadLimits(10, 2, 2000))), 2)
        self.assertRaises(RefusedDatabase, self.rows, ReadLimits(10, 1, 2000))
        self.assertRaises(sqlite3.DataError, self.rows, ReadLimits(10, 2, 900))

    def test_damaged(self) -> None:
        """A file of another kind, a truncated one, and an absent one are errors of sqlite."""
        self.create("CREATE TABLE T (a, b)", *["INSERT INTO T VALUES (1, zeroblob(9000))"] * 10)
        content = self.path.read_bytes()
        for damaged in (b"", b"noise" * 1000, content[: len(content) // 2]):
            self.path.write_bytes(damaged)
            self.assertRaises(sqlite3.Error, self.rows)
        self.path.unlink()
        self.assertRaises(sqlite3.Error, self.rows)

    def test_linked_log(self) -> None:
        """A link in place of the write-ahead log is not followed: it may lead out of the scanned root."""
        self.create("CREATE TABLE T (a, b)", "INSERT INTO T VALUES (1, 2)")
        log, outside = self.path.with_name(self.path.name + "-wal"), Path(self.mktemp())
        with outside.open("wb") as file:
            file.truncate(1 << 40)
        log.symlink_to(outside.absolute())
        self.assertEqual(self.rows(), [(1, 2)])

    def test_huge_log(self) -> None:
        """A database whose write-ahead log is beyond all bounds is not copied."""
        self.create("CREATE TABLE T (a, b)")
        with self.path.with_name(self.path.name + "-wal").open("wb") as log:
            log.truncate(1 << 40)
        self.assertRaises(RefusedDatabase, self.rows)
