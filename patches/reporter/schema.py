"""The tables of the reports, and how a database that has them is opened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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
    create_engine,
    event,
    insert,
    select,
)
from sqlalchemy.exc import SQLAlchemyError

SCHEMA_VERSION = 1

METADATA = MetaData()
SCHEMA = Table("schema", METADATA, Column("version", Integer, primary_key=True))
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
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 30})
    event.listen(engine, "connect", _set_up)
    try:
        version = _create(engine)
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise StoreError(f"{path}: {reason}") from error
    if version != SCHEMA_VERSION:
        raise StoreError(f"{path}: its version is {version}; this program knows {SCHEMA_VERSION}")
    return engine


def _create(engine: Engine) -> int:
    with engine.begin() as connection:
        METADATA.create_all(connection)
        version = connection.execute(select(SCHEMA.c.version)).scalar_one_or_none()
        if version is None:
            connection.execute(insert(SCHEMA).values(version=SCHEMA_VERSION))
        return SCHEMA_VERSION if version is None else int(version)


def _set_up(connection: Any, _record: Any) -> None:
    """Readers do not wait for a writer (WAL); a report that was acknowledged survives a power cut (FULL)."""
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}").close()
