"""The deltas in the catalogue's database; every method blocks."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Any

from attrs import asdict
from sqlalchemy import Connection, Engine, Row, delete, func, insert, select

from patches.server.catalogue.chunks import Chunk
from patches.server.catalogue.delta import Delta, delta_name
from patches.server.catalogue.schema import CHUNKS, DELTAS
from patches.server.catalogue.snapshot import Snapshot
from patches.server.catalogue.transactions import read_transaction, write_transaction


class DeltaStore:
    """
    Deltas and their chunks; if the database fails, any method raises :exc:`CatalogueError`.

    :param engine: the engine of the catalogue's database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def names(self) -> set[str]:
        """Return the names of all deltas."""
        with read_transaction(self._engine) as connection:
            return set(connection.execute(select(DELTAS.c.name)).scalars())

    def leading_to(self, snapshot: Snapshot) -> list[Delta]:
        """Return the deltas that result in a snapshot."""
        with read_transaction(self._engine) as connection:
            found = connection.execute(select(DELTAS).where(DELTAS.c.revision == snapshot.revision)).all()
            rows = [row for row in found if _fits(connection, row)]
            cuts = _cuts(connection, snapshot.revision) if rows else ()
        return [
            Delta(row.name, row.since, snapshot, row.changes, row.chunks, cuts, body_bytes=row.body_bytes)
            for row in rows
        ]

    def target(self, name: str) -> str | None:
        """Return the revision that results from a delta; ``None`` if the delta is not stored."""
        with read_transaction(self._engine) as connection:
            found: str | None = connection.execute(select(DELTAS.c.revision).where(DELTAS.c.name == name)).scalar()
        return found

    def drop(self, name: str) -> bool:
        """Delete a delta. Return whether it was there."""
        if name not in self.names():
            return False
        with write_transaction(self._engine) as connection:
            _forget(connection, {name})
        return True

    def damaged(self) -> list[str]:
        """Return the names of the deltas whose description is damaged; their chunks are verified when they are read."""
        with read_transaction(self._engine) as connection:
            return [row.name for row in connection.execute(select(DELTAS)).all() if not _fits(connection, row)]

    def size(self, snapshot: Snapshot) -> int:
        """Return the number of bytes of the encoded chunks of a snapshot."""
        query = select(func.sum(func.length(CHUNKS.c.encoded))).where(CHUNKS.c.revision == snapshot.revision)
        with read_transaction(self._engine) as connection:
            return int(connection.execute(query).scalar() or 0)

    def put(self, since: str, revision: str, chunks: Sequence[Chunk]) -> None:
        """Store the delta between two revisions, whole or not at all."""
        name = delta_name(since, revision)
        changes = sum(chunk.vulnerabilities for chunk in chunks)
        size = sum(chunk.body_bytes for chunk in chunks)
        row = {"name": name, "since": since, "revision": revision, "changes": changes, "chunks": len(chunks)}
        row["body_bytes"] = size
        with write_transaction(self._engine) as connection:
            _forget(connection, {name})
            connection.execute(insert(DELTAS).values(row))
            for chunk in chunks:
                connection.execute(insert(CHUNKS).values(revision=name, **asdict(chunk)))


def _fits(connection: Connection, row: Row[Any]) -> bool:
    """Return whether a delta has the name, and the chunks, that its description says."""
    columns = (func.count(), func.coalesce(func.sum(CHUNKS.c.vulnerabilities), 0))
    chunks, changes = connection.execute(select(*columns).where(CHUNKS.c.revision == row.name)).one()
    return bool(
        row.name == delta_name(row.since, row.revision) and (row.chunks, row.changes) == (int(chunks), int(changes))
    )


def _forget(connection: Connection, names: Set[str]) -> None:
    connection.execute(delete(CHUNKS).where(CHUNKS.c.revision.in_(names)))
    connection.execute(delete(DELTAS).where(DELTAS.c.name.in_(names)))


def _cuts(connection: Connection, revision: str) -> tuple[int, ...]:
    query = select(CHUNKS.c.vulnerabilities).where(CHUNKS.c.revision == revision).order_by(CHUNKS.c.number)
    return tuple(connection.execute(query).scalars())
