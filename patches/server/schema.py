"""The tables of the catalogue, and how a database that has them is opened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Engine,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    insert,
    inspect,
    select,
)
from sqlalchemy.exc import SQLAlchemyError

SCHEMA_VERSION = 1

METADATA = MetaData()
SCHEMA = Table("schema", METADATA, Column("version", Integer, primary_key=True))
SNAPSHOTS = Table(
    "snapshots",
    METADATA,
    Column("revision", String(64), primary_key=True),
    Column("platform", String(64), nullable=False, index=True),
    Column("created", Float, nullable=False),
    Column("checked", Float, nullable=False),
    Column("retired", Float),  # when another became current in its place; NULL: it is current
    Column("vulnerabilities", Integer, nullable=False),
    Column("chunks", Integer, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("sources", String, nullable=False),
)
CHUNKS = Table(
    "chunks",
    METADATA,
    Column("revision", String(64), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("vulnerabilities", Integer, nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("encoded", LargeBinary, nullable=False),
)


class CatalogueError(Exception):
    """The catalogue cannot be used; its text says why, in one line."""


def open_database(path: Path) -> Engine:
    """
    Open a catalogue's database on SQLite, or make an empty one.

    :raises CatalogueError: if the file is no catalogue, or one of a version that is not known here.
    """
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 30})
    event.listen(engine, "connect", _set_up)
    try:
        version = _create(engine, path)
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise CatalogueError(f"{path}: {reason}") from error
    if version != SCHEMA_VERSION:
        raise CatalogueError(f"{path}: its version is {version}; this program knows {SCHEMA_VERSION}")
    return engine


def _create(engine: Engine, path: Path) -> int:
    """Give the version of a database that has one; make the tables only where there are no others."""
    with engine.begin() as connection:
        there = set(inspect(connection).get_table_names())
        if SCHEMA.name in there:
            version = connection.execute(select(SCHEMA.c.version)).scalar_one_or_none()
            if version is not None:
                return int(version)
        if there - METADATA.tables.keys():
            raise CatalogueError(f"{path}: this is a database, but no catalogue")
        METADATA.create_all(connection)
        connection.execute(insert(SCHEMA).values(version=SCHEMA_VERSION))
        return SCHEMA_VERSION


def _set_up(connection: Any, _record: Any) -> None:
    """Readers do not wait for a writer (WAL), and the page cache stays small: the window is the cache."""
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "cache_size=-512"):
        connection.execute(f"PRAGMA {pragma}").close()
