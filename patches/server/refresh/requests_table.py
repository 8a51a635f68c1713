"""
The table through which servers with one catalogue exchange requests: wanted platforms, absent ones, known ones.

The server that is asked for a platform records the request, whether or not it is the leader. The leader writes which
platforms there are, and which of the wanted ones are absent. A single server uses the table for itself, across
restarts. Every method blocks and runs in a thread.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from attrs import field, frozen
from sqlalchemy import ColumnElement, Connection, Engine, delete, func, insert, select, update

from patches.server.catalogue.schema import KNOWN, SNAPSHOTS, WANTED
from patches.server.catalogue.transactions import LockPurpose, read_transaction, write_transaction

#: The highest number of requested platforms; beyond it, the oldest requests without a list are removed.
MOST_WANTED = 128
#: The highest number of absent platforms that are remembered.
MOST_ABSENT = 256


@frozen
class Requests:
    """
    The content of the table; times in seconds since the epoch.

    :ivar wanted: the platforms that are wanted from public feeds, with the time of the last request.
    :ivar absent: the platforms that were wanted and that no public feed has, with the time at which that became known.
    :ivar known: the platforms of the configured sources; empty: not known.
    """

    wanted: Mapping[str, float] = field(factory=dict)
    absent: Mapping[str, float] = field(factory=dict)
    known: frozenset[str] = frozenset()


class RequestTable:
    """
    The table, in the database of the catalogue; if the database fails, any method raises ``CatalogueError``.

    :param engine: the engine of the catalogue.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def read(self) -> Requests:
        """Return the content of the table."""
        with read_transaction(self._engine) as connection:
            rows = connection.execute(select(WANTED)).all()
            known = connection.execute(select(KNOWN.c.platform)).scalars().all()
        wanted = {row.platform: row.asked for row in rows if row.absent is None}
        return Requests(wanted, {row.platform: row.absent for row in rows if row.absent is not None}, frozenset(known))

    def add_wanted(self, asked: Mapping[str, float]) -> None:
        """Add requests for platforms, with their times."""
        with write_transaction(self._engine, LockPurpose.TELLING) as connection:
            for platform, time in sorted(asked.items()):
                here = WANTED.c.platform == platform
                if not connection.execute(update(WANTED).where(here).values(asked=time)).rowcount:
                    connection.execute(insert(WANTED).values(platform=platform, asked=time))
            served = select(SNAPSHOTS.c.platform).where(SNAPSHOTS.c.retired.is_(None))
            _make_room(
                connection, MOST_WANTED, WANTED.c.asked, WANTED.c.absent.is_(None), WANTED.c.platform.not_in(served)
            )

    def mark_absent(self, platforms: Collection[str], now: float) -> None:
        """Mark wanted platforms as absent."""
        with write_transaction(self._engine, LockPurpose.TELLING) as connection:
            connection.execute(update(WANTED).where(WANTED.c.platform.in_(platforms)).values(absent=now))
            _make_room(connection, MOST_ABSENT, WANTED.c.absent, WANTED.c.absent.is_not(None))

    def forget(self, platforms: Collection[str]) -> None:
        """Remove platforms, wanted or absent."""
        with write_transaction(self._engine, LockPurpose.TELLING) as connection:
            connection.execute(delete(WANTED).where(WANTED.c.platform.in_(platforms)))

    def publish_known(self, platforms: Collection[str]) -> None:
        """Replace the platforms of the configured sources; empty: not known."""
        with write_transaction(self._engine, LockPurpose.TELLING) as connection:
            connection.execute(delete(KNOWN))
            for platform in sorted(platforms):
                connection.execute(insert(KNOWN).values(platform=platform))


def _make_room(
    connection: Connection,
    most: int,
    time: ColumnElement[float],
    kind: ColumnElement[bool],
    may_go: ColumnElement[bool] | None = None,
) -> None:
    """Delete the oldest rows of a kind beyond a number."""
    number = connection.execute(select(func.count()).select_from(WANTED).where(kind)).scalar_one()
    if number > most:
        oldest = select(WANTED.c.platform).where(kind, *([] if may_go is None else [may_go]))
        gone = connection.execute(oldest.order_by(time, WANTED.c.platform).limit(number - most)).scalars().all()
        connection.execute(delete(WANTED).where(WANTED.c.platform.in_(gone)))
