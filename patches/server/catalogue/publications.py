"""
Publications: which snapshot of a platform was current when, and which vulnerability ids each had.

A publication is a snapshot that was made current. Publications are numbered by platform, from 1; a list that returns to
an earlier content is a new publication, and a check without a change is none. For each vulnerability id the catalogue
has the intervals of publications that had it: the first and the last one, or no last one while it is still there. These
functions work within the transaction that makes a snapshot current, or withdraws it. The ids are compared in the
database: the memory that is needed does not depend on their number.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from attrs import frozen
from sqlalchemy import Connection, Row, and_, bindparam, delete, func, insert, literal, select, text, update
from sqlalchemy.schema import CreateTable, DropTable

from patches.server.catalogue.record_ids import ids_in, stored_id
from patches.server.catalogue.schema import CHUNKS, INTERVALS, PUBLICATIONS, SNAPSHOTS, STAGED_IDS
from patches.server.errors import Damaged
from patches.wire import MalformedWire, unpack_chunk

#: How long the intervals of an id are kept after it was withdrawn, in seconds: 400 days.
KEPT_SECONDS = 400 * 86400.0

#: The number of ids in one query: an older SQLite takes 999 values.
_IDS_AT_ONCE = 500
#: Stages the ids of one chunk in one statement: many times as fast as a statement for each.
_STAGE = {
    "sqlite": text("INSERT INTO staged_ids (id) SELECT value FROM json_each(:ids) WHERE true ON CONFLICT DO NOTHING"),
    "postgresql": text(
        "INSERT INTO staged_ids (id) SELECT json_array_elements_text(CAST(:ids AS json)) ON CONFLICT DO NOTHING"
    ),
}


@frozen
class Publication:
    """
    One publication.

    :ivar number: its number among those of its platform.
    :ivar published: when its snapshot was made current, in seconds since the epoch.
    :ivar ended: when it was replaced or withdrawn; likewise; ``None``: it is current.
    """

    number: int
    published: float
    ended: float | None


@frozen
class Interval:
    """The publications in succession that had an id: the first one and the last one; it may be current."""

    first: Publication
    last: Publication

    @property
    def is_current(self) -> bool:
        """Whether the current publication has the id."""
        return self.last.ended is None


def record_publication(connection: Connection, platform: str, revision: str, now: float) -> None:
    """
    Store that a snapshot was made current, as a publication with its number; nothing changes if it was current before.

    :param now: when it was made current, in seconds since the epoch.
    :raises CatalogueError: if a chunk of the snapshot is damaged.
    """
    open_now = _open(connection, platform)
    if open_now is not None and open_now.revision == revision:
        known = update(SNAPSHOTS).where(SNAPSHOTS.c.revision == revision, SNAPSHOTS.c.publication.is_(None))
        connection.execute(known.values(publication=open_now.number))  # it was described anew
        return
    if open_now is not None:
        _end(connection, platform, open_now.number, now)
    number = 1 + _latest_number(connection, platform)
    this = SNAPSHOTS.c.revision == revision
    digest = connection.execute(select(SNAPSHOTS.c.digest).where(this)).scalar_one()
    row = {"platform": platform, "number": number, "revision": revision, "digest": digest, "published": now}
    connection.execute(insert(PUBLICATIONS).values(row))
    connection.execute(update(SNAPSHOTS).where(this).values(publication=number))
    _stage_ids(connection, revision)
    _close_intervals(connection, platform, number - 1)
    _open_intervals(connection, platform, number)
    connection.execute(DropTable(STAGED_IDS))
    forget_publications(connection, platform, now - KEPT_SECONDS)


def mend_publication(connection: Connection, platform: str) -> int:
    """
    Compare the current publication of a platform, and the intervals that are open, with its current list.

    :return: the number of rows that differed, and were mended. An interval whose id was lost begins anew.
    :raises CatalogueError: if a chunk of the list is damaged.
    """
    here = SNAPSHOTS.c.platform == platform, SNAPSHOTS.c.retired.is_(None)
    current = connection.execute(select(SNAPSHOTS.c.revision, SNAPSHOTS.c.digest).where(*here)).one_or_none()
    open_now = _open(connection, platform)
    if current is None or open_now is None:
        return 0
    differs = (open_now.revision, open_now.digest) != (current.revision, current.digest)
    if differs:
        this = PUBLICATIONS.c.platform == platform, PUBLICATIONS.c.number == open_now.number
        told = {"revision": current.revision, "digest": current.digest}
        connection.execute(update(PUBLICATIONS).where(*this).values(told))
    _stage_ids(connection, current.revision)
    is_open = INTERVALS.c.platform == platform, INTERVALS.c.last.is_(None)
    staged = select(STAGED_IDS.c.id).where(STAGED_IDS.c.id == INTERVALS.c.id).exists()
    wrong = connection.execute(delete(INTERVALS).where(*is_open, ~staged)).rowcount
    missing = _open_intervals(connection, platform, open_now.number)
    connection.execute(DropTable(STAGED_IDS))
    return int(differs) + max(wrong, missing)


def end_publication(connection: Connection, platform: str, now: float) -> None:
    """End the current publication of a platform that is withdrawn, and the intervals of all its ids."""
    open_now = _open(connection, platform)
    if open_now is not None:
        _end(connection, platform, open_now.number, now)
        here = INTERVALS.c.platform == platform, INTERVALS.c.last.is_(None)
        connection.execute(update(INTERVALS).where(*here).values(last=open_now.number))


def forget_publications(connection: Connection, platform: str, before: float) -> None:
    """
    Delete the intervals that ended before a time, and the publications before it that no interval needs.

    The latest publication stays, so that no number is used twice.
    """
    ended = PUBLICATIONS.c.platform == platform, PUBLICATIONS.c.ended < before
    newest = connection.execute(select(func.max(PUBLICATIONS.c.number)).where(*ended)).scalar()
    if newest is None:
        return
    here = INTERVALS.c.platform == platform
    connection.execute(delete(INTERVALS).where(here, INTERVALS.c.last <= newest))
    needed = select(INTERVALS.c.first).where(here)
    old = PUBLICATIONS.c.platform == platform, PUBLICATIONS.c.number <= newest
    latest = PUBLICATIONS.c.number == _latest_number(connection, platform)
    connection.execute(delete(PUBLICATIONS).where(*old, ~latest, PUBLICATIONS.c.number.not_in(needed)))


def not_numbered(connection: Connection) -> list[tuple[str, str, float]]:
    """Return the platform, revision and creation of each current snapshot that has no publication."""
    published = PUBLICATIONS.c.platform == SNAPSHOTS.c.platform, PUBLICATIONS.c.ended.is_(None)
    query = select(SNAPSHOTS.c.platform, SNAPSHOTS.c.revision, SNAPSHOTS.c.created).where(
        SNAPSHOTS.c.retired.is_(None), ~select(PUBLICATIONS.c.number).where(*published).exists()
    )
    return [(row.platform, row.revision, row.created) for row in connection.execute(query)]


def withdrawn_before(connection: Connection, before: float) -> list[str]:
    """Return the platforms that have intervals, but have had no publication since a time."""
    last = func.max(func.coalesce(PUBLICATIONS.c.ended, before))
    ended = select(PUBLICATIONS.c.platform).group_by(PUBLICATIONS.c.platform).having(last < before)
    platforms = connection.execute(ended).scalars().all()
    query = select(INTERVALS.c.platform).where(INTERVALS.c.platform == bindparam("platform")).limit(1)
    return [each for each in platforms if connection.execute(query, {"platform": each}).scalar() is not None]


def find_intervals(connection: Connection, vulnerability_id: str) -> dict[str, list[Interval]]:
    """Return the intervals of an id by platform, in their order; platforms that never had it are absent."""
    platforms = connection.execute(select(PUBLICATIONS.c.platform).distinct()).scalars().all()
    first, last = PUBLICATIONS.alias("first_one"), PUBLICATIONS.alias("last_one")
    begins = and_(first.c.platform == INTERVALS.c.platform, first.c.number == INTERVALS.c.first)
    is_last = (INTERVALS.c.last == last.c.number) | (INTERVALS.c.last.is_(None) & last.c.ended.is_(None))
    columns = [
        each.label(f"{side.name}_{each.name}")
        for side in (first, last)
        for each in (side.c.number, side.c.published, side.c.ended)
    ]
    query = (
        select(INTERVALS.c.platform, *columns)
        .select_from(INTERVALS.join(first, begins).join(last, (last.c.platform == INTERVALS.c.platform) & is_last))
        .where(INTERVALS.c.platform.in_(platforms), INTERVALS.c.id == stored_id(vulnerability_id))
        .order_by(INTERVALS.c.platform, INTERVALS.c.first)
    )
    found: dict[str, list[Interval]] = {}
    for platform, *numbers in connection.execute(query):
        found.setdefault(platform, []).append(Interval(Publication(*numbers[:3]), Publication(*numbers[3:])))
    return found


def find_platforms(connection: Connection, ids: Iterable[str]) -> set[str]:
    """Return the platforms whose current publication has one of these ids."""
    found: set[str] = set()
    platforms = connection.execute(select(PUBLICATIONS.c.platform).where(PUBLICATIONS.c.ended.is_(None))).scalars()
    stored = sorted(map(stored_id, ids))
    for platform in platforms.all():
        for some in (stored[start : start + _IDS_AT_ONCE] for start in range(0, len(stored), _IDS_AT_ONCE)):
            is_open = INTERVALS.c.platform == platform, INTERVALS.c.id.in_(some), INTERVALS.c.last.is_(None)
            if connection.execute(select(INTERVALS.c.id).where(*is_open).limit(1)).scalar() is not None:
                found.add(platform)
                break
    return found


def _open(connection: Connection, platform: str) -> Row[Any] | None:
    """Return the current publication of a platform."""
    here = PUBLICATIONS.c.platform == platform, PUBLICATIONS.c.ended.is_(None)
    return connection.execute(select(PUBLICATIONS).where(*here)).one_or_none()


def _end(connection: Connection, platform: str, number: int, now: float) -> None:
    this = PUBLICATIONS.c.platform == platform, PUBLICATIONS.c.number == number
    connection.execute(update(PUBLICATIONS).where(*this).values(ended=now))


def _latest_number(connection: Connection, platform: str) -> int:
    query = select(func.max(PUBLICATIONS.c.number)).where(PUBLICATIONS.c.platform == platform)
    return connection.execute(query).scalar() or 0


def _stage_ids(connection: Connection, revision: str) -> None:
    """Collect the ids of a snapshot in a temporary table, one chunk at a time."""
    connection.execute(CreateTable(STAGED_IDS))
    chunks = connection.execute(select(func.count()).where(CHUNKS.c.revision == revision)).scalar_one()
    for number in range(chunks):
        this = CHUNKS.c.revision == revision, CHUNKS.c.number == number
        encoded = connection.execute(select(CHUNKS.c.encoded).where(*this)).scalar_one()
        try:
            ids = ids_in(unpack_chunk(encoded))
        except MalformedWire as error:
            raise Damaged(f"chunk {number} of {revision} is damaged: {error}") from error
        stored = json.dumps(sorted(map(stored_id, ids)), ensure_ascii=False)
        connection.execute(_STAGE[connection.dialect.name], {"ids": stored})


def _close_intervals(connection: Connection, platform: str, last: int) -> None:
    """Close the intervals of the ids that are not staged."""
    here = INTERVALS.c.platform == platform, INTERVALS.c.last.is_(None)
    staged = select(STAGED_IDS.c.id).where(STAGED_IDS.c.id == INTERVALS.c.id).exists()
    connection.execute(update(INTERVALS).where(*here, ~staged).values(last=last))


def _open_intervals(connection: Connection, platform: str, first: int) -> int:
    """Open the intervals of the staged ids that have none. Return their number."""
    here = INTERVALS.c.platform == platform, INTERVALS.c.id == STAGED_IDS.c.id, INTERVALS.c.last.is_(None)
    fresh = select(literal(platform), STAGED_IDS.c.id, literal(first)).where(
        ~select(INTERVALS.c.id).where(*here).exists()
    )
    return connection.execute(insert(INTERVALS).from_select(["platform", "id", "first"], fresh)).rowcount
