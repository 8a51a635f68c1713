"""Damaged files of SQLite: how they are noticed, and how they are moved out of the way."""

from __future__ import annotations

import sqlite3
from functools import partial
from pathlib import Path

#: The files that SQLite keeps beside a database.
BESIDE = ("-wal", "-shm", "-journal")

#: Converts text of a database: one that is damaged is noticed by whoever compares it, not by whoever reads beside it.
decoded = partial(str, encoding="utf-8", errors="replace")


def is_file_damage(error: BaseException | None) -> bool:
    """Return whether an error of SQLite means that its file is damaged, or is no database at all."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    # No statement of ours names what was not created: then the name of a table or column is damaged.
    is_lost = code == sqlite3.SQLITE_ERROR and str(error).startswith(("no such table", "no such column"))
    return is_lost or code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def set_aside(path: Path) -> Path:
    """
    Rename a damaged file, so that a new one can be created; the one that was set aside before is replaced.

    :return: its new path.
    :raises OSError: if it cannot be renamed.
    """
    aside = path.with_name(f"{path.name}.damaged")
    path.replace(aside)
    for suffix in BESIDE:
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    return aside
