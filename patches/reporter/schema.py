"""The tables of the reporter's database, and the function that opens it."""

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
#: WAL: readers do not wait for a writer. FULL: a report that was acknowledged survives a power failure.
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL")

METADATA = MetaData()
HOSTS = Table(
    "hosts",
    METADATA,
    Column("host", String(253), primary_key=True),
    Column("platform", String(64)),
    Column("last", String, nullable=False),  # the id of the last reported scan
    Column("shown", String, nullable=False),  # the id of the scan whose findings are stored
)
SCANS = Table(
    "scans",
    METADATA,
    Column("host", String(253), primary_key=True),
    Column("id", String, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("started", DateTime, nullable=False),  # in UTC, like all times in this database
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
    """The database of the reports cannot be used; the text says why, in one line."""


def open_database(path: Path) -> Engine:
    """
    Open a database of reports in SQLite, or create an empty one.

    :raises StoreError: if the file is not such a database, or has an unknown version of the schema.
    """
    try:
        return open_sqlite(path, METADATA, SCHEMA_VERSION, _PRAGMAS)
    except DatabaseError as error:
        raise StoreError(str(error)) from error
