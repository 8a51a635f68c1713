"""Tests for :mod:`patches.storage.damage`."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.storage.damage import decoded, is_file_damage, set_aside


class DamageTests(SynchronousTestCase):
    """Files that are damaged."""

    def error(self, content: bytes, statement: str) -> sqlite3.Error:
        """Return the error of a statement on a file."""
        path = Path(self.mktemp())
        path.write_bytes(content)
        with closing(sqlite3.connect(path)) as database:
            return self.assertRaises(sqlite3.Error, database.execute, statement)

    def test_kinds(self) -> None:
        """A file that is no database, or has lost a table or column, is damaged; a wrong statement says nothing."""
        self.assertTrue(is_file_damage(self.error(b"no database" * 100, "SELECT 1 FROM x")))
        self.assertTrue(is_file_damage(self.error(b"", "SELECT * FROM lost")))
        self.assertTrue(is_file_damage(self.error(b"", "SELECT lost FROM sqlite_master")))
        self.assertFalse(is_file_damage(self.error(b"", "SELEC")))
        for other in (None, OSError(), sqlite3.OperationalError("database is locked")):
            self.assertFalse(is_file_damage(other))

    def test_set_aside(self) -> None:
        """The file is kept under another name, and what SQLite had beside it is removed."""
        path = Path(self.mktemp())
        for round_number in (b"1", b"2"):
            path.write_bytes(round_number)
            for suffix in ("-wal", "-shm"):
                path.with_name(path.name + suffix).write_bytes(b"")
            self.assertEqual(set_aside(path).read_bytes(), round_number)
            self.assertEqual(sorted(each.name for each in path.parent.glob(path.name + "*")), [path.name + ".damaged"])

    def test_decoded(self) -> None:
        """Text that is not UTF-8 has a replacement character."""
        self.assertEqual((decoded("Ä".encode()), decoded(b"a\xff")), ("Ä", "a\ufffd"))
