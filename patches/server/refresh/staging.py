"""
The staging store: the last list of each source on disk, as lines of the wire format; snapshots are built from it.

Several threads may write to it, one statement or batch at a time. A publication reads a view of its own, in which every
list is as it was when the view was opened. Each line has a checksum, and each list has one of its description: what a
view reads is verified, and a damaged list is dropped and read again.

A list is replaced as a whole when it has been read to its end; the changes of a source that reports only changes are
applied at once, too. The list of a source that is unavailable stays, and is published with those of the others.
Everything can be read again from the sources: a damaged file is deleted.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import Any

from attrs import frozen
from twisted.logger import Logger

from patches.escaping import escaped_id, escaped_record
from patches.interfaces import RecordKey
from patches.server.errors import CatalogueError
from patches.server.refresh.publication.staged_file import (
    count_records,
    line_of,
    open_staged,
    row_of,
    seal_list,
    verify_version,
)
from patches.server.refresh.publication.staged_lists import ListsDamaged, StagedLists
from patches.storage.damage import BESIDE, is_file_damage
from patches.storage.scratch import connect_sqlite
from patches.vulnerability import ALL_PLATFORMS, Vulnerability
from patches.wording import printable

log = Logger()

_UNUSABLE = "the staged lists cannot be used"
#: Before the first line.
_START = (-1, "", "", "")


@frozen
class ImportResult:
    """
    The result of reading a list.

    :ivar state: the state of the list.
    :ivar claimed: the number of entries that the source claimed, or ``None``.
    :ivar skipped: the number of skipped entries, by reason.
    :ivar checked: the time of reading, in seconds since the epoch.
    :ivar published: whether every platform of the list was published since.
    """

    state: str | None
    claimed: int | None
    skipped: Mapping[str, int]
    checked: float
    published: bool = False


class StagingStore:
    """
    The lists by source and key; every method blocks.

    :param path: the file; one of another program, or a damaged one, is replaced by an empty one.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = RLock()
        self._dropped: list[tuple[str | None, str | None]] = []
        self._verified: tuple[int, str, str, str] = _START

    def verify_version(self) -> None:
        """
        Verify that the file is not of a later version of Patches, before it is used.

        :raises CatalogueError: if it is.
        """
        try:
            verify_version(self._path)
        except sqlite3.OperationalError as error:
            raise CatalogueError(f"{_UNUSABLE}: {self._path}: {error}") from error

    @cached_property
    def _database(self) -> sqlite3.Connection:
        """The database, opened at the first use: a connection must not outlive the fork of a daemon."""
        try:
            database = open_staged(self._path)
        except sqlite3.OperationalError as error:
            raise CatalogueError(f"{_UNUSABLE}: {error}") from error
        except sqlite3.DatabaseError as error:
            log.error("The staged lists are damaged, and are read again: {error}", error=error)
            for suffix in ("", *BESIDE):
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
            database = open_staged(self._path)
        for (number,) in database.execute("SELECT id FROM readings WHERE NOT current").fetchall():
            _forget(database, number)
        return database

    def begin(self, source: str, key: str) -> int:
        """Begin to import a list. Return the id of the import."""
        values = (source, key, False)
        with self._use() as database:
            cursor = database.execute("INSERT INTO readings (source, key, current) VALUES (?, ?, ?)", values)
        assert cursor.lastrowid is not None  # noqa: S101 - sqlite tells it of every insert
        return cursor.lastrowid

    def add(self, import_id: int, vulnerabilities: Iterable[Vulnerability]) -> None:
        """
        Store vulnerabilities; of two with the same platform, name and note (or entry) the later one holds.

        This is where the records of every source arrive: characters that cannot be shown are escaped.

        The lists of followed packages have one name: the first package of each tells them apart.
        """
        shown = map(escaped_record, vulnerabilities)
        rows = ((import_id, *row_of(each.platform, each.name, _part(each), line_of(each))) for each in shown)
        with self._transaction() as database:
            database.executemany("INSERT OR REPLACE INTO lines VALUES (?, ?, ?, ?, ?, ?)", rows)

    def discard(self, import_id: int) -> None:
        """Delete an import that failed."""
        with self._use():
            self._forget([import_id])

    def commit(self, import_id: int, read: ImportResult, gone: Iterable[RecordKey] = ()) -> set[str]:
        """
        Complete an import: it replaces the previous list.

        :param gone: the keys of its records that the source no longer has.
        :return: the platforms of the previous list and of the new one.
        """
        with self._use():
            old = self._replaced_by(import_id)
            with self._transaction() as database:
                _drop(database, import_id, gone)
                _note(database, import_id, read)
                if old:
                    database.execute("UPDATE readings SET current = 0 WHERE id = ?", (old[0],))
            touched = self._platforms([*old, import_id])
            self._forget(old)
        return touched

    def commit_changes(self, import_id: int, read: ImportResult, gone: Iterable[RecordKey] = ()) -> set[str]:
        """
        Complete an import of changes: they are applied to the previous list, which must exist.

        :param read: the result of reading the whole list, the changes included.
        :param gone: the keys of the records that the source no longer has.
        :return: the platforms of the list.
        """
        with self._use():
            (old,) = self._replaced_by(import_id)
            with self._transaction() as database:
                database.execute("UPDATE OR REPLACE lines SET reading = ? WHERE reading = ?", (old, import_id))
                _drop(database, old, gone)
                _note(database, old, read)
                _forget(database, import_id)
            return self._platforms([old])

    def known(self, source: str, key: str) -> tuple[ImportResult, set[str]] | None:
        """Return the result of the last import of a list, and its platforms; ``None`` if it was not imported yet."""
        columns = "id, state, claimed, skipped, checked, published"
        query = f"SELECT {columns} FROM readings WHERE current AND source = ? AND key = ?"  # noqa: S608 - named above
        with self._use():
            row = self._database.execute(query, (source, key)).fetchone()
            platforms = self._platforms([row[0]]) if row is not None else set()
        if row is None:
            return None
        return ImportResult(row[1], row[2], json.loads(row[3]), row[4], bool(row[5])), platforms

    def names(self, source: str, key: str) -> frozenset[str]:
        """Return the names of the records of a list; only for lists that are known to be short."""
        query = "SELECT name FROM lines JOIN readings ON reading = id WHERE current AND source = ? AND key = ?"
        with self._use():
            return frozenset(name for (name,) in self._database.execute(query, (source, key)))

    def enriching_sources(self) -> frozenset[str]:
        """Return the sources that have staged records about all platforms."""
        query = "SELECT DISTINCT source FROM readings JOIN counts ON reading = id WHERE current AND platform = ?"
        with self._use():
            return frozenset(name for (name,) in self._database.execute(query, (ALL_PLATFORMS,)))

    def note_published(self, source: str, key: str) -> None:
        """Note that every platform of a list was published since it was read."""
        statement = "UPDATE readings SET published = 1 WHERE current AND source = ? AND key = ?"
        with self._use():
            self._database.execute(statement, (source, key))

    def forget_others(self, source: str, keys: Container[str]) -> set[str]:
        """Delete the lists that a source no longer has. Return their platforms."""
        query = "SELECT id, key FROM readings WHERE current AND source = ?"
        with self._use():
            gone = [number for number, key in self._database.execute(query, (source,)).fetchall() if key not in keys]
            touched = self._platforms(gone)
            self._forget(gone)
        return touched

    def forget_sources(self, names: Container[str]) -> set[str]:
        """Delete the lists of all sources but these. Return their platforms."""
        with self._use():
            found = self._database.execute("SELECT DISTINCT source FROM readings WHERE current").fetchall()
        gone = [name for (name,) in found if name not in names]
        return {platform for name in gone for platform in self.forget_others(name, ())}

    @contextmanager
    def view(self) -> Iterator[StagedLists]:
        """
        Open a view of all lists, which does not change. What it finds damaged is dropped, and read again.

        :raises ListsDamaged: if a list of the platform that is read is damaged; or within the block.
        """
        with self._use():
            pass  # the file exists, and is not damaged
        pragmas = ("query_only=ON", "cache_size=-1024", "temp_store=FILE")
        try:
            with closing(connect_sqlite(self._path, pragmas)) as database:
                database.execute("BEGIN")
                yield StagedLists(database)
        except ListsDamaged as damage:
            self._drop(damage)
            raise
        except sqlite3.DatabaseError as error:
            raise self._converted(error) from error

    def take_dropped(self) -> list[tuple[str | None, str | None]]:
        """
        Return the source and the key of each list that was dropped since the last call, as it was damaged.

        Where both are ``None``, all lists were.
        """
        with self._lock:
            dropped, self._dropped = self._dropped, []
        return dropped

    def verify_some(self, lines: int) -> None:
        """
        Verify the next lines, and at the end of all begin again; damage is treated as in a view.

        :param lines: how many of them.
        :raises ListsDamaged: if a list is damaged.
        """
        with self.view() as lists:
            if self._verified == _START:
                lists.verify_descriptions()
            self._verified = lists.verify_after(self._verified, lines) or _START

    def facts(self, platform: str) -> dict[str, dict[str, Any]]:
        """Return the numbers of records read and skipped; see :meth:`StagedLists.facts`."""
        with self.view() as lists:
            return lists.facts(platform)

    def lines(self, platform: str, source: str) -> Iterator[tuple[str, bytes]]:
        """Yield a source's records of a platform; see :meth:`StagedLists.lines`."""
        with self.view() as lists:
            yield from lists.lines(platform, source)

    def close(self) -> None:
        """Close the file."""
        if "_database" in self.__dict__:
            self._database.close()

    @contextmanager
    def _use(self) -> Iterator[sqlite3.Connection]:
        """Use the database alone, and convert its errors; a file that is damaged is replaced by an empty one."""
        with self._lock:
            try:
                yield self._database
            except sqlite3.DatabaseError as error:
                raise self._converted(error) from error

    def _converted(self, error: sqlite3.DatabaseError) -> CatalogueError:
        if not is_file_damage(error):
            return CatalogueError(f"{_UNUSABLE}: {error}")
        with self._lock:
            self.close()
            self.__dict__.pop("_database", None)
            for suffix in ("", *BESIDE):
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
            self._dropped.append((None, None))
            self._verified = _START
        return ListsDamaged(f"the staged lists are damaged, and are read again: {error}")

    def _drop(self, damage: ListsDamaged) -> None:
        """Delete a list that is damaged, and note that it must be read again."""
        log.error("{damage}: it is read again", damage=str(damage))
        with self._use() as database:
            query = "SELECT source, key FROM readings WHERE id = ?"
            self._dropped.append(database.execute(query, (damage.import_id,)).fetchone() or (None, None))
            if damage.import_id is not None:
                self._forget([damage.import_id])
            self._verified = _START

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Run the block in one transaction."""
        with self._use() as database:
            database.execute("BEGIN")
            with database:
                yield database

    def _replaced_by(self, import_id: int) -> list[int]:
        """Return the import that another one replaces, if there is one."""
        source, key = self._database.execute("SELECT source, key FROM readings WHERE id = ?", (import_id,)).fetchone()
        query = "SELECT id FROM readings WHERE current AND source = ? AND key = ?"
        return [number for (number,) in self._database.execute(query, (source, key))]

    def _platforms(self, readings: Iterable[int]) -> set[str]:
        query = "SELECT platform FROM counts WHERE reading = ?"
        return {name for import_id in readings for (name,) in self._database.execute(query, (import_id,))}

    def _forget(self, readings: Iterable[int]) -> None:
        for import_id in readings:
            _forget(self._database, import_id)


def _part(vulnerability: Vulnerability) -> str:
    """Return what tells records of one name apart."""
    return printable(vulnerability.entry or vulnerability.note or "".join(vulnerability.followed[:1]))


def _drop(database: sqlite3.Connection, import_id: int, gone: Iterable[RecordKey]) -> None:
    """Delete records by their keys."""
    database.executemany(
        "DELETE FROM lines WHERE reading = ? AND platform = ? AND name = ? AND part = ?",
        ((import_id, printable(platform), escaped_id(name)[0], printable(part)) for platform, name, part in gone),
    )


def _note(database: sqlite3.Connection, import_id: int, read: ImportResult) -> None:
    """Make an import the current one, and count its vulnerabilities; lists of followed packages are none."""
    database.execute(
        "UPDATE readings SET current = 1, published = 0, state = ?, claimed = ?, skipped = ?, checked = ? WHERE id = ?",
        (read.state, read.claimed, json.dumps(dict(read.skipped)), read.checked, import_id),
    )
    count_records(database, import_id)
    seal_list(database, import_id)


def _forget(database: sqlite3.Connection, import_id: int) -> None:
    for table, column in (("lines", "reading"), ("counts", "reading"), ("readings", "id")):
        database.execute(f"DELETE FROM {table} WHERE {column} = ?", (import_id,))  # noqa: S608 - named above
