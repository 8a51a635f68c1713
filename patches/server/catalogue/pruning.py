"""Pruning: the snapshots and deltas that are no longer needed are deleted."""

from __future__ import annotations

from collections.abc import Set

from attrs import frozen
from sqlalchemy import Connection, Select, and_, delete, func, or_, select

from patches.server.catalogue.schema import CHUNKS, DELTAS, SNAPSHOTS

#: The number of latest replaced snapshots to keep for each platform: deltas lead from them to the current one.
MOST_REPLACED = 8


@frozen
class MinimumAge:
    """
    The times before which a snapshot must have been replaced to be deleted; in seconds since the epoch.

    :ivar any_before: any snapshot that was replaced before this time.
    :ivar surplus_before: a snapshot that was replaced before this time, and after which more than :data:`MOST_REPLACED`
        were replaced; also a delta to such a snapshot.
    """

    any_before: float
    surplus_before: float = 0.0


def prune(connection: Connection, in_use: Set[str], age: MinimumAge) -> int:
    """
    Delete snapshots that are neither current nor held back, and deltas whose resulting snapshot is no longer needed.

    :param in_use: revisions and names of deltas to keep, whatever their age.
    :return: the number of deleted snapshots.
    """
    gone = set(connection.execute(_old(age)).scalars()) - in_use
    connection.execute(delete(SNAPSHOTS).where(SNAPSHOTS.c.revision.in_(gone)))
    stale = set(connection.execute(_stale(max(age.any_before, age.surplus_before))).scalars()) - in_use
    connection.execute(delete(DELTAS).where(DELTAS.c.name.in_(stale)))
    connection.execute(delete(CHUNKS).where(CHUNKS.c.revision.in_(gone | stale)))
    return len(gone)


def _old(age: MinimumAge) -> Select[tuple[str]]:
    latest_first = func.row_number().over(partition_by=SNAPSHOTS.c.platform, order_by=SNAPSHOTS.c.retired.desc())
    were = SNAPSHOTS.c.retired.is_not(None), SNAPSHOTS.c.held.is_(None)
    replaced = select(SNAPSHOTS.c.revision, SNAPSHOTS.c.retired, latest_first.label("place")).where(*were).subquery()
    surplus = and_(replaced.c.place > MOST_REPLACED, replaced.c.retired < age.surplus_before)
    return select(replaced.c.revision).where(or_(replaced.c.retired < age.any_before, surplus))


def _stale(before: float) -> Select[tuple[str]]:
    of_use = SNAPSHOTS.c.retired.is_(None) | (SNAPSHOTS.c.retired >= before)
    there = select(SNAPSHOTS.c.revision).where(and_(SNAPSHOTS.c.revision == DELTAS.c.revision, of_use))
    return select(DELTAS.c.name).where(~there.exists())
