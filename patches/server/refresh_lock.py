"""The lock of the server that refreshes, in the database that servers share."""

from __future__ import annotations

from sqlalchemy import Connection, Engine

from patches.server.advisory import Purpose, try_to_hold
from patches.server.schema import in_one_line


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

    def hold(self) -> bool:
        """See :meth:`patches.server.leadership.Lock.hold`."""
        try:
            with in_one_line():
                if self._connection is None:
                    self._connection = self._connect()
                if self._held:
                    self._connection.exec_driver_sql("SELECT 1")
                else:
                    self._held = try_to_hold(self._connection, Purpose.REFRESHING)
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


def lock_of(engine: Engine) -> RefreshLock | None:
    """Give the lock of a database; ``None`` if servers cannot share it."""
    return RefreshLock(engine) if engine.dialect.name == "postgresql" else None
