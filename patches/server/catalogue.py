"""
The catalogue: the server's on-disk copy of the lists, as immutable snapshots cut into chunks.

A snapshot is written and made current in one transaction: it is there whole or not at all. Its revision is derived from
its content, so the same list has the same revision on every machine. Everything here blocks; it runs in threads.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Set
from typing import Any

from attrs import asdict, frozen
from sqlalchemy import Connection, Engine, Row, delete, insert, select, update

from patches.server.chunks import Chunk, cut
from patches.server.schema import CHUNKS, SNAPSHOTS, CatalogueError
from patches.wire import StreamDigest


class ChunkMissing(CatalogueError):
    """A chunk is not in the catalogue (any more)."""


@frozen
class Snapshot:
    """
    One complete list of one platform.

    :ivar revision: its name, derived from platform and digest.
    :ivar created: when it was first published; seconds since the epoch.
    :ivar checked: when its sources last gave this very list; likewise.
    :ivar vulnerabilities: how many it has.
    :ivar chunks: into how many chunks they are cut.
    :ivar digest: the digest of the whole stream, in hexadecimal.
    :ivar sources: by source: how many records were ``read``, and how many ``skipped``, by reason.
    """

    revision: str
    platform: str
    created: float
    checked: float
    vulnerabilities: int
    chunks: int
    digest: str
    sources: Mapping[str, Any]


class Catalogue:
    """
    Snapshots and their chunks in a database.

    :param engine: a SQLAlchemy engine; see :func:`patches.server.schema.open_database`.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def current(self) -> list[Snapshot]:
        """Give the current snapshot of each platform, ordered by platform."""
        query = select(SNAPSHOTS).where(SNAPSHOTS.c.retired.is_(None)).order_by(SNAPSHOTS.c.platform)
        with self._engine.connect() as connection:
            return [_snapshot(row) for row in connection.execute(query)]

    def find(self, revision: str) -> Snapshot | None:
        """Give a snapshot that is still here, current or not."""
        with self._engine.connect() as connection:
            return self._find(connection, revision)

    def chunk(self, revision: str, number: int) -> Chunk:
        """
        Read one chunk.

        :raises ChunkMissing: if it is not here.
        """
        query = select(CHUNKS).where(CHUNKS.c.revision == revision, CHUNKS.c.number == number)
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise ChunkMissing(f"chunk {number} of {revision} is not in the catalogue")
        return Chunk(row.number, row.vulnerabilities, row.digest, row.encoded)

    def publish(self, platform: str, lines: Iterable[bytes], sources: Mapping[str, Any], now: float) -> Snapshot:
        """
        Write a snapshot and make it the current one of its platform, in one transaction.

        :param lines: the vulnerabilities as lines of the wire format, in the order in which they are to be served.
        :param now: seconds since the epoch.
        :return: the snapshot; one that was there already keeps its ``created``.
        """
        with self._engine.begin() as connection:
            staging = f"staging:{platform}"
            connection.execute(delete(CHUNKS).where(CHUNKS.c.revision == staging))
            vulnerabilities, chunks, digest = self._write(connection, staging, lines)
            revision = hashlib.sha256(f"{platform} {digest}".encode()).hexdigest()[:32]
            known = self._find(connection, revision)
            if known is None:
                renamed = update(CHUNKS).where(CHUNKS.c.revision == staging).values(revision=revision)
                connection.execute(renamed)
                snapshot = Snapshot(revision, platform, now, now, vulnerabilities, chunks, digest, dict(sources))
                connection.execute(insert(SNAPSHOTS).values(_row(snapshot)))
            else:
                connection.execute(delete(CHUNKS).where(CHUNKS.c.revision == staging))
            self._make_current(connection, platform, revision, sources, now)
            published = self._find(connection, revision)
        assert published is not None  # noqa: S101 - it was written in this transaction
        return published

    def prune(self, in_use: Set[str], retired_before: float) -> int:
        """
        Delete snapshots that are neither current nor read by a session.

        :param in_use: revisions to keep.
        :param retired_before: those replaced later than this are kept too; seconds since the epoch.
        :return: how many were deleted.
        """
        old = select(SNAPSHOTS.c.revision).where(SNAPSHOTS.c.retired < retired_before)
        with self._engine.begin() as connection:
            gone = set(connection.execute(old).scalars()) - in_use
            connection.execute(delete(CHUNKS).where(CHUNKS.c.revision.in_(gone)))
            connection.execute(delete(SNAPSHOTS).where(SNAPSHOTS.c.revision.in_(gone)))
        return len(gone)

    def close(self) -> None:
        """Let the database go."""
        self._engine.dispose()

    def _write(self, connection: Connection, revision: str, lines: Iterable[bytes]) -> tuple[int, int, str]:
        stream = StreamDigest()
        vulnerabilities = chunks = 0
        for chunk in cut(lines):
            connection.execute(
                insert(CHUNKS).values(
                    revision=revision,
                    number=chunk.number,
                    vulnerabilities=chunk.vulnerabilities,
                    digest=chunk.digest,
                    encoded=chunk.encoded,
                )
            )
            stream.add(chunk.digest)
            vulnerabilities += chunk.vulnerabilities
            chunks += 1
        return vulnerabilities, chunks, stream.hexdigest()

    def _make_current(
        self, connection: Connection, platform: str, revision: str, sources: Mapping[str, Any], now: float
    ) -> None:
        current = SNAPSHOTS.c.platform == platform, SNAPSHOTS.c.retired.is_(None)
        connection.execute(update(SNAPSHOTS).where(*current, SNAPSHOTS.c.revision != revision).values(retired=now))
        values = {"retired": None, "checked": now, "sources": json.dumps(sources)}
        connection.execute(update(SNAPSHOTS).where(SNAPSHOTS.c.revision == revision).values(values))

    def _find(self, connection: Connection, revision: str) -> Snapshot | None:
        row = connection.execute(select(SNAPSHOTS).where(SNAPSHOTS.c.revision == revision)).one_or_none()
        return _snapshot(row) if row is not None else None


def _row(snapshot: Snapshot) -> dict[str, Any]:
    return {**asdict(snapshot), "sources": json.dumps(dict(snapshot.sources))}


def _snapshot(row: Row[Any]) -> Snapshot:
    values = {column.name: value for column, value in zip(SNAPSHOTS.columns, row, strict=True)}
    del values["retired"]
    return Snapshot(**{**values, "sources": json.loads(row.sources)})
