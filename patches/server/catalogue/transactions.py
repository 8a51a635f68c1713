"""Transactions and locks of the catalogue's database: one writer at a time, and errors in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

from sqlalchemy import (
    Connection,
    Engine,
    text,
)
from sqlalchemy.exc import DatabaseError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from patches.server.errors import CatalogueAway, CatalogueError, DamagedFile
from patches.storage.damage import is_file_damage
from patches.storage.sqlite import reason

#: Sets the locks of Patches apart from those of others: "patc" as a number.
_PATCHES = 0x70617463
#: PostgreSQL's codes: too many connections; it stops, has crashed, or does not accept connections now.
_AWAY = ("53300", "57P01", "57P02", "57P03")


class LockPurpose(IntEnum):
    """The purposes of locks; the numbers are the same in every version of Patches."""

    MIGRATING = 1
    WRITING = 2
    REFRESHING = 3
    TELLING = 4


def lock_exclusively(connection: Connection, purpose: LockPurpose) -> None:
    """
    Wait for a lock, and hold it until the transaction ends.

    It must be the first statement of the transaction: SQLite takes its write lock when a transaction begins.
    """
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.execute(text("SELECT pg_advisory_xact_lock(:of, :what)"), {"of": _PATCHES, "what": int(purpose)})


def try_lock(connection: Connection, purpose: LockPurpose) -> bool:
    """
    Acquire a lock of PostgreSQL that is held until the connection ends, without waiting. Return whether it was free.
    """
    query = text("SELECT pg_try_advisory_lock(:of, :what)")
    return bool(connection.execute(query, {"of": _PATCHES, "what": int(purpose)}).scalar_one())


@contextmanager
def catalogue_errors() -> Iterator[None]:
    """Convert errors of the database to :exc:`CatalogueError`; errors of the program pass unchanged."""
    try:
        yield
    except DatabaseError as error:
        if is_file_damage(error.orig):
            raise DamagedFile(reason(error)) from error
        if not isinstance(error, OperationalError):
            raise
        raise (CatalogueAway if _is_away(error.orig) else CatalogueError)(reason(error)) from error
    except (InterfaceError, PoolTimeout) as error:
        raise CatalogueAway(reason(error)) from error


def _is_away(error: object) -> bool:
    """
    Return whether an error of PostgreSQL's driver says that the server cannot be reached, or closes its connections.

    Errors that the server itself reports have a code (PostgreSQL's appendix A); a file's have no such attribute.
    """
    code = getattr(error, "sqlstate", "")
    return code is None or code.startswith("08") or code in _AWAY


@contextmanager
def read_transaction(engine: Engine) -> Iterator[Connection]:
    """
    Read from the database; this never waits.

    :raises CatalogueError: if the database cannot be used.
    """
    with catalogue_errors(), engine.connect() as connection:
        yield connection


@contextmanager
def write_transaction(engine: Engine, purpose: LockPurpose = LockPurpose.WRITING) -> Iterator[Connection]:
    """
    Write in one transaction, once no other process writes.

    :param purpose: writers with another purpose do not wait for each other, except on SQLite, which has one lock.
    :raises CatalogueError: if the database cannot be used.
    """
    with catalogue_errors(), engine.begin() as connection:
        lock_exclusively(connection, purpose)
        yield connection


class RefreshLock:
    """
    An advisory lock of PostgreSQL, held by a connection of its own: the lock is lost with that connection.

    The connection does not belong to the pool, and is opened when the lock is first wanted. PostgreSQL checks that the
    client is alive, so that the lock of a host that lost its power is free within half a minute.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None
        self._held = False

    def acquire(self) -> bool:
        """See :meth:`patches.server.refresh.leadership.Lock.acquire`."""
        try:
            with catalogue_errors():
                if self._connection is None:
                    self._connection = self._connect()
                if self._held:
                    self._connection.exec_driver_sql("SELECT 1")
                else:
                    self._held = try_lock(self._connection, LockPurpose.REFRESHING)
        except Exception:
            self.release()
            raise
        return self._held

    def release(self) -> None:
        """Release the lock, and close the connection."""
        connection, self._connection, self._held = self._connection, None, False
        if connection is not None:
            connection.invalidate()
            connection.close()

    def _connect(self) -> Connection:
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        connection.detach()
        for name, value in (("idle", 10), ("interval", 5), ("count", 3)):
            connection.exec_driver_sql(f"SET tcp_keepalives_{name} = {value}")
        return connection


def refresh_lock(engine: Engine) -> RefreshLock | None:
    """Return the lock of a database; ``None`` if servers cannot share the database."""
    return RefreshLock(engine) if engine.dialect.name == "postgresql" else None
