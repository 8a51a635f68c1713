"""The tables of the catalogue, and how a database that has them is opened."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import (
    Column,
    Engine,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)

from patches.database import DatabaseError, open_sqlite

SCHEMA_VERSION = 2
#: Readers do not wait for a writer (WAL), and the page cache stays small: the window is the cache.
_PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "cache_size=-512")

METADATA = MetaData()
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
    Column("held", String),  # why it is not current, though it is the newest; NULL: nothing is against it
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
    try:
        return open_sqlite(path, METADATA, SCHEMA_VERSION, _PRAGMAS)
    except DatabaseError as error:
        raise CatalogueError(str(error)) from error
