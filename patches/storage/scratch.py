"""Scratch databases on SQLite: fast, small in memory, and of no worth once their work is done."""

from __future__ import annotations

import sqlite3
from pathlib import Path

_PRAGMAS = ("journal_mode=OFF", "synchronous=OFF", "cache_size=-1024", "temp_store=FILE")


def open_scratch(path: Path) -> sqlite3.Connection:
    """
    Open an empty database that any one thread at a time may use; whoever opens it deletes the file.

    :param path: whatever is there is thrown away.
    """
    path.unlink(missing_ok=True)
    database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    for pragma in _PRAGMAS:
        database.execute(f"PRAGMA {pragma}").close()
    return database
