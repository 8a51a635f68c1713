"""
Reading of a SQLite file that may be damaged or hostile: in bounded time and memory, and without writing beside it.

A file can have a view in place of a table, whose query never ends, or pages that refer to each other. So the tables are
checked before they are read, and both sqlite's steps and the number of rows are limited.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import time
from collections.abc import Collection, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from attrs import frozen

_STEPS = 1000
_LARGEST_COPY = 4 * 1024 * 1024 * 1024


class RefusedDatabase(sqlite3.DatabaseError):
    """A database that is not read, because something else is in place of a table, or because reading does not end."""


@frozen
class ReadLimits:
    """
    The bounds of reading a database.

    :ivar seconds: the longest time.
    :ivar rows: the largest number of rows.
    :ivar value_bytes: the longest value.
    """

    seconds: float
    rows: int
    value_bytes: int


def read_rows(path: Path, tables: Collection[str], query: str, limits: ReadLimits) -> Iterator[tuple[Any, ...]]:
    """
    Yield the rows of a query, one at a time.

    :param path: the file, which is not changed. Its write-ahead log, if there is one, is read too.
    :param tables: the tables that the query reads; each must be a plain table.
    :raises sqlite3.Error: if the file is not such a database, is damaged, or exceeds the limits.
    :raises OSError: if it cannot be read.
    """
    until = time.monotonic() + limits.seconds
    with (
        tempfile.TemporaryDirectory(prefix="patches-") as folder,
        closing(sqlite3.connect(_uri(path, Path(folder)), uri=True)) as database,
    ):
        # a longer value is an error of sqlite before it is read into memory
        database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, limits.value_bytes)
        database.set_progress_handler(lambda: time.monotonic() > until, _STEPS)
        try:
            database.execute("PRAGMA trusted_schema = OFF")
            for table in tables:
                _check(database, table)
            for number, row in enumerate(database.execute(query)):
                if number >= limits.rows or time.monotonic() > until:
                    raise RefusedDatabase("the database is too long to be a real one")
                yield row
        except sqlite3.OperationalError as error:
            if time.monotonic() > until:
                raise RefusedDatabase(f"reading does not end within {limits.seconds:g} seconds") from error
            raise


def _uri(path: Path, folder: Path) -> str:
    """
    Return the address by which sqlite opens the file.

    A database with a write-ahead log is copied first: to read it, sqlite would have to write beside it, and a scan
    must not change the host. Without a log, ``immutable`` keeps sqlite from creating files.
    """
    log = path.with_name(path.name + "-wal")
    # a link may lead out of the scanned root: sqlite writes none
    if log.is_symlink() or not log.is_file() or not log.stat().st_size:
        return f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    if path.stat().st_size + log.stat().st_size > _LARGEST_COPY:
        raise RefusedDatabase("the database is too long to be a real one")
    shutil.copyfile(log, folder / log.name)
    return Path(shutil.copyfile(path, folder / path.name)).as_uri()


def _check(database: sqlite3.Connection, table: str) -> None:
    """Raise :class:`RefusedDatabase` unless a name is that of a plain table, whose columns are stored."""
    found = database.execute(
        "SELECT type, rootpage, sql FROM sqlite_master WHERE lower(name) = lower(?)", (table,)
    ).fetchmany(2)
    kinds = [str(kind) for kind, _, _ in found]
    if kinds != ["table"]:
        raise RefusedDatabase(f"{table} is no table" + (f" but a {kinds[0][:20]}" if kinds else ""))
    _, page, text = found[0]
    computed = database.execute("SELECT 1 FROM pragma_table_xinfo(?) WHERE hidden != 0", (table,)).fetchone()
    if not page or computed or not str(text).upper().startswith("CREATE TABLE"):
        raise RefusedDatabase(f"{table} is no plain table")
