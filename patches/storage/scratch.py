"""
SQLite for data that can be created again: staged lists, and scratch files that are deleted after use.

Data that must not be lost is in a database of :mod:`patches.storage.sqlite` instead.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from threading import Lock
from typing import Any

from patches.storage.damage import decoded

_SCRATCH_PRAGMAS = ("journal_mode=OFF", "synchronous=OFF", "cache_size=-1024", "temp_store=FILE")


class SerialConnection(sqlite3.Connection):
    """
    A connection that several threads may use, one at a time: the caller ensures that, and this class asserts it.

    ``sqlite3`` itself either refuses a second thread or lets two threads mix their transactions. Neither is acceptable,
    as blocking calls run in any free thread of a pool.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._in_use = Lock()

    def execute(self, *args: Any) -> sqlite3.Cursor:
        """Execute a statement; see :class:`sqlite3.Connection`."""
        return self._alone(super().execute, *args)

    def executemany(self, *args: Any) -> sqlite3.Cursor:
        """Execute a statement for each row; see :class:`sqlite3.Connection`."""
        return self._alone(super().executemany, *args)

    def _alone(self, call: Callable[..., sqlite3.Cursor], *args: Any) -> sqlite3.Cursor:
        if not self._in_use.acquire(blocking=False):
            raise RuntimeError("two threads use one database at once")
        try:
            return call(*args)
        finally:
            self._in_use.release()


def connect_sqlite(path: Path, pragmas: Iterable[str]) -> SerialConnection:
    """
    Open a database file, or create it.

    :param pragmas: settings that are applied first: ``cache_size=-1024``.
    :raises sqlite3.Error: if it cannot be opened; no connection is left open.
    """
    database = sqlite3.connect(path, check_same_thread=False, isolation_level=None, factory=SerialConnection)
    database.text_factory = decoded
    try:
        for pragma in pragmas:
            database.execute(f"PRAGMA {pragma}").close()
    except sqlite3.Error:
        database.close()
        raise
    return database


def user_version(path: Path) -> int | None:
    """Return the version of a file, without changing it; ``None`` if it does not exist, or cannot be read."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            return int(database.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.Error:
        return None


def open_scratch(path: Path) -> SerialConnection:
    """
    Open an empty scratch database; the caller deletes the file.

    :param path: the file; an existing one is deleted first.
    """
    path.unlink(missing_ok=True)
    return connect_sqlite(path, _SCRATCH_PRAGMAS)
