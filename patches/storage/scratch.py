"""
Plain SQLite, for data that can be made anew: staged lists, and scratch files that are deleted once their work is done.

What must not be lost is in a database of :mod:`patches.storage.sqlite` instead.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Lock
from typing import Any

_SCRATCH_PRAGMAS = ("journal_mode=OFF", "synchronous=OFF", "cache_size=-1024", "temp_store=FILE")


class SerialConnection(sqlite3.Connection):
    """
    A connection that several threads may use, one at a time: the caller sees to that, and here it is asserted.

    ``sqlite3`` itself refuses a second thread, or lets two of them mix their transactions; neither is wanted, as what
    blocks runs in whichever thread of a pool is free.
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


def connect(path: Path, pragmas: Iterable[str]) -> SerialConnection:
    """
    Open a file, or create it.

    :param pragmas: are set first: ``cache_size=-1024``.
    :raises sqlite3.Error: if that fails; no connection is left open.
    """
    database = sqlite3.connect(path, check_same_thread=False, isolation_level=None, factory=SerialConnection)
    try:
        for pragma in pragmas:
            database.execute(f"PRAGMA {pragma}").close()
    except sqlite3.Error:
        database.close()
        raise
    return database


def open_scratch(path: Path) -> SerialConnection:
    """
    Open an empty scratch database; the caller deletes the file.

    :param path: a file that is there is deleted first.
    """
    path.unlink(missing_ok=True)
    return connect(path, _SCRATCH_PRAGMAS)
