"""The tables of the reports, and how a database that has them is opened."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
)

from patches.storage.sqlite import DatabaseError, open_sqlite

SCHEMA_VERSION = 1
#: Readers do not wait for a writer (WAL); a report that was acknowledged survives a power cut (FULL).
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL")

METADATA = MetaData()
HOSTS = Table(
    "hosts",
    METADATA,
    Column("host", String(253), primary_key=True),
    Column("platform", String(64)),
    Column("last", String, nullable=False),  # the scan that was reported last
    Column("shown", String, nullable=False),  # the scan whose findings are kept
)
SCANS = Table(
    "scans",
    METADATA,
    Column("host", String(253), primary_key=True),
    Column("id", String, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("started", DateTime, nullable=False),  # in UTC, as all times here
    Column("finished", DateTime, nullable=False),
    Column("received", DateTime, nullable=False),
    Column("complete", Boolean, nullable=False),
    Column("revision", String),
    Column("digest", String),
    Column("served", BigInteger, nullable=False),
    Column("findings", Integer, nullable=False),
    Column("problem", String),
    Column("unfixed", BigInteger, nullable=False),
    Column("not_evaluated", String, nullable=False),  # a JSON object
)
FINDINGS = Table(
    "findings",
    METADATA,
    Column("host", String(253), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("severity", Integer, nullable=False),
    Column("document", String, nullable=False),
)


class StoreError(Exception):
    """The database of the reports cannot be used; its text says why, in one line."""


def open_database(path: Path) -> Engine:
    """
    Open a database of reports on SQLite, or make an empty one.

    :raises StoreError: if the file is none, or one of a version that is not known here.
    """
    try:
        return open_sqlite(path, METADATA, SCHEMA_VERSION, _PRAGMAS)
    except DatabaseError as error:
        raise StoreError(str(error)) from error
