"""Pruning: which snapshots and deltas are of no more use, and go."""

from __future__ import annotations

from collections.abc import Set

from attrs import frozen
from sqlalchemy import Connection, Select, and_, delete, func, or_, select

from patches.server.catalogue.schema import CHUNKS, DELTAS, SNAPSHOTS

#: So many replaced snapshots of a platform, the latest, are of use: deltas lead from them to the current one.
MOST_REPLACED = 8


@frozen
class MinimumAge:
    """
    How long ago a snapshot must have been replaced to go; times in seconds since the epoch.

    :ivar any_before: any that was replaced before this.
    :ivar surplus_before: one that was replaced before this, and after which more than :data:`MOST_REPLACED` were; a
        delta that leads to a snapshot which was.
    """

    any_before: float
    surplus_before: float = 0.0


def prune(connection: Connection, in_use: Set[str], age: MinimumAge) -> int:
    """
    Delete snapshots that are neither current nor held back, and deltas that lead to none that is of use.

    :param in_use: revisions and names of deltas to keep, whatever their age.
    :return: how many snapshots were deleted.
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
