"""How the catalogue's database is read and written: one writes at a time, and what goes wrong is told in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

from sqlalchemy import (
    Connection,
    Engine,
    text,
)
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from patches.server.errors import CatalogueError
from patches.storage.sqlite import reason

#: Sets the locks of Patches apart from those of others: "patc" as a number.
_PATCHES = 0x70617463


class LockPurpose(IntEnum):
    """What a lock is for; the numbers are the same in every version of Patches."""

    MIGRATING = 1
    WRITING = 2
    REFRESHING = 3
    TELLING = 4


def lock_exclusively(connection: Connection, purpose: LockPurpose) -> None:
    """Wait until nobody else does this; then nobody does until the transaction, which must not have begun, ends."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.execute(text("SELECT pg_advisory_xact_lock(:of, :what)"), {"of": _PATCHES, "what": int(purpose)})


def try_lock(connection: Connection, purpose: LockPurpose) -> bool:
    """Take a lock of PostgreSQL until the connection ends, without a wait; tell whether it was free."""
    query = text("SELECT pg_try_advisory_lock(:of, :what)")
    return bool(connection.execute(query, {"of": _PATCHES, "what": int(purpose)}).scalar_one())


@contextmanager
def catalogue_errors() -> Iterator[None]:
    """Make what goes wrong in the world a :exc:`CatalogueError`; what is wrong with the program stays as it is."""
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeout) as error:
        raise CatalogueError(reason(error)) from error


@contextmanager
def read_transaction(engine: Engine) -> Iterator[Connection]:
    """
    Read; this waits for nobody.

    :raises CatalogueError: if the database cannot be used.
    """
    with catalogue_errors(), engine.connect() as connection:
        yield connection


@contextmanager
def write_transaction(engine: Engine, purpose: LockPurpose = LockPurpose.WRITING) -> Iterator[Connection]:
    """
    Write in one transaction, once no other process does.

    :param purpose: what is written: who writes something else is not waited for, unless SQLite has everyone wait.
    :raises CatalogueError: if the database cannot be used.
    """
    with catalogue_errors(), engine.begin() as connection:
        lock_exclusively(connection, purpose)
        yield connection


class RefreshLock:
    """
    An advisory lock of PostgreSQL, held by a connection of its own: it is lost with that.

    The connection is none of the pool's, and it is made when the lock is first asked for. PostgreSQL looks whether we
    are still there, so that the lock of a host that has lost its power is free within half a minute.
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
        """Let the lock go, and the connection."""
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
    """Give the lock of a database; ``None`` if servers cannot share it."""
    return RefreshLock(engine) if engine.dialect.name == "postgresql" else None
