"""
The store of the catalogue: lists on disk, as immutable snapshots cut into chunks.

A snapshot is written and made current in one transaction: it is stored whole or not at all. Its revision is derived
from its content, so the same list has the same revision on every machine. There is one writer at a time, in whichever
process; readers never wait. Every method blocks and runs in a thread.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from attrs import asdict, evolve
from sqlalchemy import Connection, Engine, Row, Select, delete, insert, or_, select, update

from patches.escaping import escaped_line
from patches.server.catalogue.chunks import Chunk, cut_chunks
from patches.server.catalogue.damage.seals import is_sealed, sealing
from patches.server.catalogue.pruning import MinimumAge, prune
from patches.server.catalogue.publications import end_publication, find_platforms, record_publication
from patches.server.catalogue.schema import CHUNKS, SNAPSHOTS
from patches.server.catalogue.snapshot import Snapshot, revision_of
from patches.server.catalogue.transactions import read_transaction, write_transaction
from patches.server.errors import ChunkMissing, Damaged, OlderList
from patches.wire import MalformedWire, StreamDigest, unpack_chunk

#: Returns the reason for which a list of this length must not replace a snapshot; ``None`` if it may.
Objection = Callable[[Snapshot | None, int], str | None]


def _no_objection(current: Snapshot | None, vulnerabilities: int) -> None:
    return None


class Catalogue:
    """
    Snapshots and their chunks in a database; if the database fails, any method raises :exc:`CatalogueError`.

    :param engine: a SQLAlchemy engine; see :func:`patches.server.catalogue.schema.open_database`.
    :ivar is_shared: whether other servers read it, which learn only from it when a snapshot was checked.
    """

    def __init__(self, engine: Engine) -> None:
        self.is_shared = engine.dialect.name != "sqlite"
        self._engine = engine

    def current(self) -> list[Snapshot]:
        """Return the current snapshot of each platform, ordered by platform."""
        query = select(SNAPSHOTS).where(SNAPSHOTS.c.retired.is_(None)).order_by(SNAPSHOTS.c.platform)
        with read_transaction(self._engine) as connection:
            return _snapshots(connection, query)

    def held_back(self) -> list[Snapshot]:
        """Return the snapshots that are held back until somebody accepts them, ordered by platform."""
        query = select(SNAPSHOTS).where(SNAPSHOTS.c.held.is_not(None)).order_by(SNAPSHOTS.c.platform)
        with read_transaction(self._engine) as connection:
            return _snapshots(connection, query)

    def snapshots(self) -> list[Snapshot]:
        """Return every stored snapshot, current or not, ordered by platform and creation."""
        query = select(SNAPSHOTS).order_by(SNAPSHOTS.c.platform, SNAPSHOTS.c.created, SNAPSHOTS.c.revision)
        with read_transaction(self._engine) as connection:
            return _snapshots(connection, query)

    def unsealed(self) -> list[tuple[str, str]]:
        """Return the platform and revision of each snapshot whose description is damaged, as far as it can be read."""
        with read_transaction(self._engine) as connection:
            return [
                (str(row.platform), str(row.revision))
                for row in connection.execute(select(SNAPSHOTS))
                if not is_sealed(row)
            ]

    def replaced(self, platform: str) -> list[Snapshot]:
        """Return the snapshots of a platform that were replaced, the latest first."""
        were = SNAPSHOTS.c.platform == platform, SNAPSHOTS.c.retired.is_not(None), SNAPSHOTS.c.held.is_(None)
        query = select(SNAPSHOTS).where(*were).order_by(SNAPSHOTS.c.retired.desc(), SNAPSHOTS.c.revision)
        with read_transaction(self._engine) as connection:
            return _snapshots(connection, query)

    def find(self, revision: str) -> Snapshot | None:
        """Return a snapshot that is still stored, current or not; ``None`` if it is not."""
        with read_transaction(self._engine) as connection:
            return self._find(connection, revision)

    def chunk(self, revision: str, number: int) -> Chunk:
        """
        Read one chunk.

        :raises ChunkMissing: if it is not stored.
        """
        query = select(CHUNKS).where(CHUNKS.c.revision == revision, CHUNKS.c.number == number)
        with read_transaction(self._engine) as connection, _driver_errors():
            row = connection.execute(query).one_or_none()
        if row is None:
            raise ChunkMissing(f"chunk {number} of {revision} is not in the catalogue")
        if not (isinstance(row.digest, bytes) and isinstance(row.encoded, bytes)):
            raise Damaged(f"chunk {number}: it has something else than bytes")
        return Chunk(row.number, row.vulnerabilities, row.digest, row.encoded)

    def heads(self, revision: str) -> list[tuple[bytes, int]]:
        """Return the digest and the number of lines of each chunk of a list, in their order."""
        query = select(CHUNKS.c.digest, CHUNKS.c.vulnerabilities).where(CHUNKS.c.revision == revision)
        with read_transaction(self._engine) as connection, _driver_errors():
            return [
                (bytes(row.digest), int(row.vulnerabilities))
                for row in connection.execute(query.order_by(CHUNKS.c.number))
            ]

    def mark_damaged(self, revision: str, damage: str) -> Snapshot | None:
        """
        Note what is wrong with a snapshot, until it is published again; one that was replaced is deleted.

        :return: the snapshot; ``None`` if it is not stored.
        """
        this = SNAPSHOTS.c.revision == revision
        with write_transaction(self._engine) as connection, sealing(connection):
            row = connection.execute(select(SNAPSHOTS).where(this)).one_or_none()
            if row is None or not is_sealed(row):
                return None
            if row.retired is not None and row.held is None:
                _delete(connection, revision)
            else:
                connection.execute(update(SNAPSHOTS).where(this).values(damaged=damage))
            return evolve(_snapshot(row), damaged=damage)

    def drop_unsealed(self) -> list[str]:
        """Delete the snapshots whose description is damaged, and return their revisions; sources have their lists."""
        found = [revision for _, revision in self.unsealed()]
        if found:
            with write_transaction(self._engine) as connection:
                for revision in found:
                    _delete(connection, revision)
        return found

    def publish(
        self,
        platform: str,
        lines: Iterable[bytes],
        sources: Mapping[str, Any],
        now: float,
        objection: Objection = _no_objection,
        checked: float | None = None,
        steady: float | None = None,
        served: int = 0,
    ) -> Snapshot:
        """
        Write a snapshot and make it the current one of its platform, in one transaction.

        :param lines: the vulnerabilities as lines of the wire format, in the order in which they are served.
        :param now: seconds since the epoch.
        :param objection: returns the reason to hold the snapshot back, as ``held_back``; the current one then stays.
        :param checked: the time at which the sources had these lines, in seconds since the epoch; ``None``: now.
        :param steady: the time from which the age of what it replaces is told, likewise; ``None``: now.
        :param served: the greatest serial number with which a list of this platform was served.
        :return: the snapshot; one that was stored already keeps its ``created``.
        """
        replaced = now if steady is None else steady
        with write_transaction(self._engine) as connection, sealing(connection):
            staging = f"staging:{platform}"
            staged = CHUNKS.c.revision == staging
            connection.execute(delete(CHUNKS).where(staged))
            written = self._write(connection, staging, platform, lines, now)
            revision, vulnerabilities = written.revision, written.vulnerabilities
            confirmed = now if checked is None else checked
            serial = _least_serial(connection, platform, revision, confirmed, served)
            self._store(connection, staging, written, replaced)
            self._note_given(connection, revision, confirmed, sources, serial)
            reason = objection(self._current(connection, platform), vulnerabilities)
            self._place(connection, platform, revision, reason, replaced)
            return self._found(connection, revision)

    def accept(self, platform: str, now: float) -> Snapshot | None:
        """
        Make the snapshot current that a platform has held back; its time of check stays.

        :param now: seconds since the epoch.
        :return: the snapshot; ``None`` if none is held back.
        """
        held_back = SNAPSHOTS.c.platform == platform, SNAPSHOTS.c.held.is_not(None)
        with write_transaction(self._engine) as connection, sealing(connection):
            revision = connection.execute(select(SNAPSHOTS.c.revision).where(*held_back)).scalar_one_or_none()
            if revision is None:
                return None
            snapshot = self._find(connection, revision)
            if snapshot is None or snapshot.damaged is not None:
                raise Damaged(f"{platform}: the list that is held back is damaged: it must be published anew first")
            serial = _least_serial(connection, platform, revision, snapshot.checked)
            connection.execute(update(SNAPSHOTS).where(SNAPSHOTS.c.revision == revision).values(serial=serial))
            self._place(connection, platform, revision, None, now)
            return self._found(connection, revision)

    def withdraw(self, platform: str, now: float) -> None:
        """Retire the current snapshot of a platform, and the one that is held back."""
        here = update(SNAPSHOTS).where(SNAPSHOTS.c.platform == platform)
        with write_transaction(self._engine) as connection, sealing(connection):
            connection.execute(here.where(SNAPSHOTS.c.retired.is_(None)).values(retired=now))
            connection.execute(here.values(held=None))
            end_publication(connection, platform, now)

    def mark_checked(self, times: Mapping[str, float], now: float = math.inf) -> None:
        """
        Store the times at which the sources last had these snapshots, by revision; in seconds since the epoch.

        :param now: likewise; a stored time that is later is replaced by an earlier one.
        """
        with write_transaction(self._engine) as connection, sealing(connection):
            for revision, checked in times.items():
                is_wrong = or_(SNAPSHOTS.c.checked < checked, SNAPSHOTS.c.checked > now)
                this = SNAPSHOTS.c.revision == revision, is_wrong
                for row in filter(is_sealed, connection.execute(select(SNAPSHOTS).where(*this)).all()):
                    new = {"checked": checked, "serial": _snapshot(row).serial}
                    connection.execute(update(SNAPSHOTS).where(*this).values(new))

    def adopt(
        self, snapshots: Iterable[tuple[Snapshot, Iterable[Chunk]]], now: float, even_older: bool = False
    ) -> list[Snapshot]:
        """
        Make snapshots of another catalogue the current ones of their platforms, all of them in one transaction.

        :param snapshots: each with its chunks, which are verified while they are consumed; if they raise, nothing
            changes.
        :param now: seconds since the epoch.
        :param even_older: whether to accept a snapshot that was checked before the current one.
        :raises OlderList: if such a snapshot is not accepted.
        """
        adopted = []
        with write_transaction(self._engine) as connection, sealing(connection):
            for snapshot, chunks in snapshots:
                connection.execute(delete(CHUNKS).where(CHUNKS.c.revision == snapshot.revision))
                current = self._current(connection, snapshot.platform)
                if current is not None and snapshot.checked < current.checked and not even_older:
                    raise OlderList(f"{snapshot.platform}: the current list was checked later than this one")
                # One that is older on purpose does not pass for a newer one.
                this = connection, snapshot.platform, snapshot.revision, snapshot.checked
                serial = 0 if even_older else _least_serial(*this)
                whole = self._insert(connection, snapshot, chunks, now)
                self._describe(connection, whole, now)
                self._note_given(connection, whole.revision, whole.checked, whole.sources, serial)
                self._place(connection, whole.platform, whole.revision, None, now)
                adopted.append(self._found(connection, whole.revision))
        return adopted

    def platforms_with(self, ids: Set[str]) -> set[str]:
        """Return the platforms whose current publication has a record with one of these ids."""
        with read_transaction(self._engine) as connection:
            return find_platforms(connection, ids)

    def prune(self, in_use: Set[str], age: MinimumAge) -> int:
        """Delete what is no longer needed; see :func:`patches.server.catalogue.pruning.prune`."""
        with write_transaction(self._engine) as connection:
            return prune(connection, in_use, age)

    def close(self) -> None:
        """Close the database."""
        self._engine.dispose()

    def _write(
        self, connection: Connection, staging: str, platform: str, lines: Iterable[bytes], now: float
    ) -> Snapshot:
        """Write the chunks of a list under a name of their own. Return the snapshot, without its sources."""
        stream = StreamDigest()
        vulnerabilities = chunks = size = 0
        for chunk in cut_chunks(lines):
            _insert_chunk(connection, staging, chunk)
            stream.add(chunk.digest)
            vulnerabilities += chunk.vulnerabilities
            chunks += 1
            size += chunk.body_bytes
        digest = stream.hexdigest()
        revision = revision_of(platform, digest)
        return Snapshot(revision, platform, now, now, vulnerabilities, chunks, digest, {}, body_bytes=size)

    def _insert(self, connection: Connection, snapshot: Snapshot, chunks: Iterable[Chunk], now: float) -> Snapshot:
        """
        Insert the chunks of another catalogue. Return the snapshot that they are.

        If a record has characters that cannot be shown, as the intake of an earlier version left them, these are
        escaped: that is another list, with a revision of its own.
        """
        size, is_odd = 0, False
        for chunk in chunks:
            _insert_chunk(connection, snapshot.revision, chunk)
            size += chunk.body_bytes
            body = unpack_chunk(chunk.encoded)
            is_odd = is_odd or b"".join(_escaped(body)) != body
        if not is_odd:
            return evolve(snapshot, body_bytes=size)
        this, staging = CHUNKS.c.revision == snapshot.revision, f"staging:{snapshot.platform}"
        connection.execute(delete(CHUNKS).where(CHUNKS.c.revision == staging))
        lines_of = _escaped_lines(connection, snapshot)
        written = self._write(connection, staging, snapshot.platform, lines_of, now)
        connection.execute(delete(CHUNKS).where(this | (CHUNKS.c.revision == written.revision)))
        connection.execute(update(CHUNKS).where(CHUNKS.c.revision == staging).values(revision=written.revision))
        return evolve(written, created=snapshot.created, checked=snapshot.checked, sources=snapshot.sources)

    def _store(self, connection: Connection, staging: str, written: Snapshot, now: float) -> None:
        """Name the chunks that were written after their revision; they replace those that may be there, and damaged."""
        connection.execute(delete(CHUNKS).where(CHUNKS.c.revision == written.revision))
        connection.execute(update(CHUNKS).where(CHUNKS.c.revision == staging).values(revision=written.revision))
        self._describe(connection, written, now)

    def _describe(self, connection: Connection, snapshot: Snapshot, now: float) -> None:
        """Store the description of a snapshot whose chunks were just written; what it said before of itself holds."""
        this = SNAPSHOTS.c.revision == snapshot.revision
        before = self._find(connection, snapshot.revision)
        if before is not None:
            connection.execute(update(SNAPSHOTS).where(this).values(damaged=None))
            return
        connection.execute(delete(SNAPSHOTS).where(this))  # its seal is broken
        connection.execute(insert(SNAPSHOTS).values(retired=now, **_row(snapshot)))

    def _note_given(
        self, connection: Connection, revision: str, checked: float, sources: Mapping[str, Any], serial: int
    ) -> None:
        given = {"checked": checked, "sources": json.dumps(dict(sources)), "serial": serial}
        connection.execute(update(SNAPSHOTS).where(SNAPSHOTS.c.revision == revision).values(given))

    def _place(self, connection: Connection, platform: str, revision: str, held_back: str | None, now: float) -> None:
        """Make a snapshot current; or hold it back, and leave the current one unchanged."""
        here, this = update(SNAPSHOTS).where(SNAPSHOTS.c.platform == platform), SNAPSHOTS.c.revision == revision
        connection.execute(here.values(held=None))
        if held_back is None:
            connection.execute(here.where(~this, SNAPSHOTS.c.retired.is_(None)).values(retired=now))
            connection.execute(here.where(this).values(retired=None))
            record_publication(connection, platform, revision, now)
        else:
            connection.execute(here.where(this).values(held=held_back))

    def _current(self, connection: Connection, platform: str) -> Snapshot | None:
        query = select(SNAPSHOTS).where(SNAPSHOTS.c.platform == platform, SNAPSHOTS.c.retired.is_(None))
        row = connection.execute(query).one_or_none()
        return _snapshot(row) if row is not None and is_sealed(row) else None

    def _found(self, connection: Connection, revision: str) -> Snapshot:
        """Return a snapshot that was written in this transaction."""
        row = connection.execute(select(SNAPSHOTS).where(SNAPSHOTS.c.revision == revision)).one()
        return _snapshot(row)

    def _find(self, connection: Connection, revision: str) -> Snapshot | None:
        row = connection.execute(select(SNAPSHOTS).where(SNAPSHOTS.c.revision == revision)).one_or_none()
        return _snapshot(row) if row is not None and is_sealed(row) else None


@contextmanager
def _driver_errors() -> Iterator[None]:
    """Convert the errors of a driver that finds a number where bytes should be."""
    try:
        yield
    except (TypeError, ValueError, OverflowError, MemoryError) as error:
        raise Damaged(f"a chunk cannot be read: {error}") from error


def _snapshots(connection: Connection, query: Select[Any]) -> list[Snapshot]:
    """Return the snapshots of a query, less those whose description is damaged."""
    return [_snapshot(row) for row in connection.execute(query) if is_sealed(row)]


def _escaped_lines(connection: Connection, snapshot: Snapshot) -> Iterator[bytes]:
    """Yield the lines of a snapshot whose chunks were inserted in this transaction, escaped."""
    for number in range(snapshot.chunks):
        this = CHUNKS.c.revision == snapshot.revision, CHUNKS.c.number == number
        encoded = connection.execute(select(CHUNKS.c.encoded).where(*this)).scalar_one()
        yield from _escaped(unpack_chunk(encoded))


def _escaped(body: bytes) -> Iterator[bytes]:
    """
    Yield the lines of the body of a chunk, escaped.

    :raises Damaged: at one that is no record.
    """
    try:
        yield from map(escaped_line, BytesIO(body))
    except MalformedWire as error:
        raise Damaged(f"a line is {error}") from error


def _least_serial(connection: Connection, platform: str, revision: str, checked: float, served: int = 0) -> int:
    """
    Return the least serial number of a list that is published now: it is greater than that of any other list before.

    :param checked: the time of its check; where this has grown, as it should, it is the number.
    :param served: the greatest that was served, as far as is known.
    """
    rows = connection.execute(select(SNAPSHOTS).where(SNAPSHOTS.c.platform == platform)).all()
    latest = max([served, *(_snapshot(row).serial for row in rows if is_sealed(row))])
    is_current = any(row.revision == revision and row.retired is None for row in rows)
    return latest if is_current or int(checked) > latest else latest + 1


def _delete(connection: Connection, revision: str) -> None:
    """Delete a snapshot with its chunks."""
    connection.execute(delete(SNAPSHOTS).where(SNAPSHOTS.c.revision == revision))
    connection.execute(delete(CHUNKS).where(CHUNKS.c.revision == revision))


def _insert_chunk(connection: Connection, revision: str, chunk: Chunk) -> None:
    values = asdict(chunk)
    connection.execute(insert(CHUNKS).values(revision=revision, **values))


def _row(snapshot: Snapshot) -> dict[str, Any]:
    columns = asdict(snapshot)
    held, serial = columns.pop("held_back"), columns.pop("least_serial")
    return {**columns, "held": held, "serial": serial, "sources": json.dumps(dict(snapshot.sources))}


def _snapshot(row: Row[Any]) -> Snapshot:
    return Snapshot(
        row.revision,
        row.platform,
        row.created,
        row.checked,
        row.vulnerabilities,
        row.chunks,
        row.digest,
        json.loads(row.sources),
        row.held,
        row.publication,
        row.body_bytes,
        row.damaged,
        row.serial,
    )
