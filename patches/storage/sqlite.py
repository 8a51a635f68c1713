"""Databases of our own on SQLite: of a stated version, with stated settings, or refused in one line."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Column, Engine, Integer, MetaData, Table, create_engine, event, insert, inspect, select
from sqlalchemy.exc import SQLAlchemyError

_VERSION_TABLE = "schema"
#: How often to try what SQLite does not wait for by itself.
_TRIES, _PAUSE_SECONDS = 300, 0.1


class DatabaseError(Exception):
    """A file that cannot be used as this database; its text says why, in one line."""


def open_sqlite(path: Path, metadata: MetaData, version: int, pragmas: Sequence[str]) -> Engine:
    """
    Open a database, or make an empty one.

    :param metadata: its tables; one more is kept beside them, for the version.
    :param version: of these tables; a file that has another is refused.
    :param pragmas: are set on every connection.
    :raises DatabaseError: if the file is no such database.
    """
    engine = sqlite_engine(path, pragmas)
    try:
        found = _create(engine, metadata, version)
    except SQLAlchemyError as error:
        raise DatabaseError(f"{path}: {reason(error)}") from error
    if found is None:
        raise DatabaseError(f"{path}: this is a database of something else")
    if found != version:
        raise DatabaseError(f"{path}: its version is {found}; this program knows {version}")
    engine.dispose()  # a connection must not outlive the fork of a daemon
    return engine


def sqlite_engine(path: Path | str, pragmas: Sequence[str]) -> Engine:
    """Make an engine for a file; these pragmas are set on every connection."""
    engine = create_engine(URL.create("sqlite", database=str(path)), connect_args={"timeout": 30})

    def set_up(connection: Any, _record: Any) -> None:
        for pragma in pragmas:
            _set(connection, pragma)

    event.listen(engine, "connect", set_up)
    return engine


def _set(connection: sqlite3.Connection, pragma: str) -> None:
    """Set a pragma. A switch to WAL fails at once while somebody else has the file; every other statement waits."""
    for _ in range(_TRIES):
        try:
            connection.execute(f"PRAGMA {pragma}").close()
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return
    connection.execute(f"PRAGMA {pragma}").close()


def reason(error: SQLAlchemyError) -> str:
    """Say in one line why a database failed."""
    return str(getattr(error, "orig", None) or error).splitlines()[0]


def _create(engine: Engine, metadata: MetaData, version: int) -> int | None:
    """Give the version of a database that has one; make the tables only where there are no others."""
    schema = Table(_VERSION_TABLE, MetaData(), Column("version", Integer, primary_key=True))
    with engine.begin() as connection:
        there = set(inspect(connection).get_table_names())
        if schema.name in there:
            found = connection.execute(select(schema.c.version)).scalar_one_or_none()
            if found is not None:
                return int(found)
        if there - metadata.tables.keys() - {schema.name}:
            return None
        metadata.create_all(connection)
        schema.create(connection, checkfirst=True)
        connection.execute(insert(schema).values(version=version))
        return version
