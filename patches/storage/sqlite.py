"""SQLite databases of the programs: with a version of their tables, fixed settings, and one-line errors."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    Table,
    create_engine,
    event,
    insert,
    inspect,
    select,
    update,
)
from sqlalchemy.exc import SQLAlchemyError

from patches.storage.damage import decoded, is_file_damage

_VERSION = Table("schema", MetaData(), Column("version", Integer, primary_key=True))
#: SQLite does not wait for a lock in every statement: the number of tries, and the pause between them.
_TRIES, _PAUSE_SECONDS = 300, 0.1


#: Changes tables of one version into those of the next.
Upgrade = Callable[[Connection], None]
_NO_UPGRADES: Mapping[int, Upgrade] = {}


class DatabaseError(Exception):
    """A file that cannot be used as this database; its text is the reason, in one line."""


class DatabaseDamaged(DatabaseError):
    """A file that is no database, or whose pages do not fit together."""


def open_sqlite(
    path: Path, metadata: MetaData, version: int, pragmas: Sequence[str], upgrades: Mapping[int, Upgrade] = _NO_UPGRADES
) -> Engine:
    """
    Open a database, or create an empty one.

    :param metadata: its tables; one more table stores their version.
    :param version: the version of these tables; a file of another version is refused, if it cannot be upgraded.
    :param pragmas: applied to every connection.
    :param upgrades: by version, the function that changes the tables of that version into those of the next.
    :raises DatabaseError: if the file is not such a database.
    """
    engine = sqlite_engine(path, pragmas)
    try:
        found = _create(engine, metadata, version)
        if found is not None and found < version and all(each in upgrades for each in range(found, version)):
            found = _upgrade(engine, version, upgrades)
        _verify(engine)
    except SQLAlchemyError as error:
        kind = DatabaseDamaged if is_file_damage(getattr(error, "orig", None)) else DatabaseError
        raise kind(f"{path}: {reason(error)}") from error
    if found is None:
        raise DatabaseError(f"{path}: this is the database of another program")
    if found != version:
        raise DatabaseError(f"{path}: its version is {found}; this program knows {version}")
    engine.dispose()  # a connection must not outlive the fork of a daemon
    return engine


def _verify(engine: Engine) -> None:
    """
    Verify that the pages of a file fit together.

    :raises DatabaseDamaged: if they do not.
    """
    with engine.connect() as connection:
        found = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one())
    if found != "ok":
        raise DatabaseDamaged(f"{engine.url.database}: {found.splitlines()[-1]}")


def sqlite_engine(path: Path | str, pragmas: Sequence[str]) -> Engine:
    """Create an engine for a file, and apply pragmas to every connection."""
    engine = create_engine(URL.create("sqlite", database=str(path)), connect_args={"timeout": 30})

    def set_up(connection: Any, _record: Any) -> None:
        # Text that is damaged fails where it is used, and not whatever reads a row beside it.
        connection.text_factory = decoded
        for pragma in pragmas:
            _set(connection, pragma)

    event.listen(engine, "connect", set_up)
    return engine


def _set(connection: sqlite3.Connection, pragma: str) -> None:
    """
    Apply a pragma to a connection, waiting for a lock.

    A switch to WAL fails at once while another process uses the file, without the time-out of other statements.
    """
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
    """Return the reason why a database failed, in one line."""
    return str(getattr(error, "orig", None) or error).splitlines()[0]


def _create(engine: Engine, metadata: MetaData, version: int) -> int | None:
    """
    Return the version of a database; create the tables if it is empty.

    :return: ``None`` if it has tables of another program.
    """
    schema = _VERSION
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


def _upgrade(engine: Engine, version: int, upgrades: Mapping[int, Upgrade]) -> int:
    """Upgrade the tables of a database, in one transaction. Return their version."""
    with engine.begin() as connection:
        # The driver begins a transaction only before a write to rows: a change of tables would be outside.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        found = int(connection.execute(select(_VERSION.c.version)).scalar_one())
        for each in range(found, version):
            upgrades[each](connection)
        connection.execute(update(_VERSION).values(version=version))
        return version
