"""
Versions of the catalogue's schema: a database is upgraded to the newest version, or refused.

The steps are those of alembic, in :mod:`patches.server.catalogue.migrations`. All of them are one transaction, which
only one process runs at a time. An SQLite file from before alembic has its version in a table of its own, which is
adopted.
"""

from __future__ import annotations

from sqlalchemy import Column, Connection, Engine, Integer, MetaData, String, Table, func, inspect, select

from patches.server.catalogue.transactions import LockPurpose, lock_exclusively

#: The newest version.
SCHEMA_VERSION = 9
VERSION_TABLE = "catalogue_version"

_VERSION = Table(VERSION_TABLE, MetaData(), Column("version_num", String(32), primary_key=True))
#: Before alembic, up to version 2.
_BEFORE = Table("schema", MetaData(), Column("version", Integer, primary_key=True))
_FIRST_TABLES = {"snapshots", "chunks", _BEFORE.name}


class UnknownDatabase(Exception):
    """The database cannot be upgraded to the newest version; the text says why, in one line."""


def migrate(engine: Engine) -> None:
    """
    Upgrade a database to the newest version; an empty database becomes a catalogue.

    :raises UnknownDatabase: if it belongs to something else, or to a later version of Patches; it is left as it is.
    """
    with engine.connect() as connection:
        if _version(connection) == SCHEMA_VERSION:
            return  # the usual case: skip importing alembic, which is large
    with engine.begin() as connection:
        lock_exclusively(connection, LockPurpose.MIGRATING)
        _upgrade(connection, _version(connection))


def _version(connection: Connection) -> int:
    """Return the version of a database; 0: it is empty, or its creation was interrupted."""
    there = set(inspect(connection).get_table_names())
    if VERSION_TABLE in there:
        return _known(connection.execute(select(_VERSION.c.version_num)).scalar_one_or_none())
    if connection.dialect.name == "sqlite" and there and there <= _FIRST_TABLES:
        found = connection.execute(select(_BEFORE.c.version)).scalar_one_or_none() if _BEFORE.name in there else None
        return _known(found) if found is not None else _unused(connection, there)
    if there:
        raise UnknownDatabase("it is the database of another program")
    return 0


def _known(version: str | int | None) -> int:
    number = int(str(version)) if str(version).isdecimal() else 0
    if not 1 <= number <= SCHEMA_VERSION:
        raise UnknownDatabase(f"its version is {version}; this program knows {SCHEMA_VERSION}")
    return number


def _unused(connection: Connection, there: set[str]) -> int:
    """Return 0 if the creation of a file was interrupted: the version is written last."""
    for name in there:
        if connection.execute(select(func.count()).select_from(Table(name, MetaData()))).scalar_one():
            raise UnknownDatabase("it has no version")
    return 0


def _upgrade(connection: Connection, version: int) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "patches.server.catalogue:migrations")
    config.attributes["connection"] = connection
    there = set(inspect(connection).get_table_names())
    for name in there & ({_BEFORE.name} if version else _FIRST_TABLES):
        Table(name, MetaData()).drop(connection)
    if version and VERSION_TABLE not in there:
        command.stamp(config, str(version))
    command.upgrade(config, "head")
