"""The tables of the catalogue, and the opening of a database that has them."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import (
    URL,
    BigInteger,
    Column,
    Engine,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    create_engine,
    text,
)
from sqlalchemy.exc import SQLAlchemyError

from patches.server.catalogue.migrate import UnknownDatabase, migrate
from patches.server.errors import CatalogueError, DamagedFile
from patches.storage.damage import is_file_damage
from patches.storage.database_url import POSTGRESQL, SQLITE, display_name
from patches.storage.sqlite import reason, sqlite_engine

#: Readers do not wait for a writer (WAL), and the page cache stays small: the window is the cache.
_PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "cache_size=-512")
#: The number of connections to PostgreSQL: one for each thread, and the connection of the refresh lock.
_CONNECTIONS = 4
#: Keepalives: a lost PostgreSQL is detected within half a minute. In seconds, the last in milliseconds.
_PATIENCE = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}

METADATA = MetaData()
SNAPSHOTS = Table(
    "snapshots",
    METADATA,
    Column("revision", String(64), primary_key=True),
    Column("platform", String(64), nullable=False, index=True),
    Column("created", Float, nullable=False),
    Column("checked", Float, nullable=False),
    Column("retired", Float),  # when another snapshot replaced it; NULL: it is current
    Column("vulnerabilities", Integer, nullable=False),
    Column("chunks", Integer, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("sources", String, nullable=False),
    Column("held", String),  # why it is held back, though it is the newest; NULL: it is not held back
    Column("publication", Integer),  # the number of its latest publication; NULL: it was never current
    Column("body_bytes", BigInteger, nullable=False, server_default="0"),  # of all its chunks, uncompressed
    Column("damaged", String),  # what is wrong with its chunks; NULL: nothing that is known
    Column("serial", BigInteger, nullable=False, server_default="0"),  # the least one that it is served with
    Column("seal", String(64), nullable=False, server_default=""),  # see patches.server.catalogue.damage.seals
)
_CURRENT = text("retired IS NULL")
Index("one_current", SNAPSHOTS.c.platform, unique=True, sqlite_where=_CURRENT, postgresql_where=_CURRENT)
CHUNKS = Table(
    "chunks",
    METADATA,
    Column("revision", String(64), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("vulnerabilities", Integer, nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("encoded", LargeBinary, nullable=False),
)
DELTAS = Table(
    "deltas",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("since", String(64), nullable=False),
    Column("revision", String(64), nullable=False),
    Column("changes", Integer, nullable=False),
    Column("chunks", Integer, nullable=False),  # their number; they are in the table of chunks
    Column("body_bytes", BigInteger, nullable=False, server_default="0"),  # of all its chunks, uncompressed
)
PUBLICATIONS = Table(
    "publications",
    METADATA,
    Column("platform", String(64), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("revision", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("published", Float, nullable=False),
    Column("ended", Float),  # when it was replaced or withdrawn; NULL: it is current
)
#: The key is the order in which the ids of a platform are compared; without a row number it is the only copy.
INTERVALS = Table(
    "intervals",
    METADATA,
    Column("platform", String(64), primary_key=True),
    Column("id", String, primary_key=True),
    Column("first", Integer, primary_key=True, autoincrement=False),
    Column("last", Integer),  # the last publication with this id; NULL: the current one has it
    sqlite_with_rowid=False,
)
#: The ids of the list that is being published; a temporary table, which only this connection sees.
STAGED_IDS = Table(
    "staged_ids",
    MetaData(),
    Column("id", String, primary_key=True),
    prefixes=["TEMPORARY"],
    sqlite_with_rowid=False,
)
WANTED = Table(
    "wanted_platforms",
    METADATA,
    Column("platform", String(64), primary_key=True),
    Column("asked", Float, nullable=False),  # when a scanner last asked for it, to the day
    Column("absent", Float),  # when its public source was found not to have it; NULL: it is wanted
)
KNOWN = Table(
    "known_platforms",
    METADATA,
    Column("platform", String(64), primary_key=True),
)


def open_database(where: Path | URL) -> Engine:
    """
    Open a catalogue's database, or create an empty one.

    :param where: the path of an SQLite file, or the URL of any database.
    :return: an engine without an open connection: a connection must not outlive the fork of a daemon.
    :raises CatalogueError: if it cannot be reached, is not a catalogue, or has an unknown version.
    """
    url = URL.create(SQLITE, database=str(where)) if isinstance(where, Path) else where
    try:
        engine = _engine(url)
    except ImportError as error:
        raise CatalogueError(f"{display_name(url)}: there is no driver: pip install '.[postgresql]'") from error
    try:
        migrate(engine)
    except SQLAlchemyError as error:
        kind = DamagedFile if is_file_damage(getattr(error, "orig", None)) else CatalogueError
        raise kind(f"{display_name(url)}: {reason(error)}") from error
    except UnknownDatabase as error:
        raise CatalogueError(f"{display_name(url)}: {error}") from error
    finally:
        engine.dispose()
    return engine


def _engine(url: URL) -> Engine:
    if url.drivername != POSTGRESQL:
        return sqlite_engine(str(url.database), _PRAGMAS)
    return postgresql_engine(url, _CONNECTIONS)


def postgresql_engine(url: URL, connections: int, connect_seconds: int | None = None) -> Engine:
    """
    Create an engine for a URL of PostgreSQL.

    :param connections: the number of connections, at most.
    :param connect_seconds: how long a new connection may take; ``None``: the default, or as the URL says.
    """
    patience = {name: value for name, value in _PATIENCE.items() if name not in url.query}
    if connect_seconds is not None:
        patience["connect_timeout"] = connect_seconds
        url = url.difference_update_query(["connect_timeout"])
    return create_engine(url, pool_size=connections, max_overflow=0, pool_pre_ping=True, connect_args=patience)
