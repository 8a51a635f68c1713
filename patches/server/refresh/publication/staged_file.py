"""The file of staged lists: its tables, its versions, and what is common to all that write it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any

from patches.enrichment.facts import facts_to_wire
from patches.escaping import escaped_record
from patches.server.refresh.publication.staged_lists import checksum, seal_of
from patches.storage.scratch import connect_sqlite, user_version
from patches.vulnerability import ALL_PLATFORMS, FOLLOWED, Facts, Vulnerability
from patches.wire import encode_json, encode_line, from_wire
from patches.wording import printable

_PRAGMAS = ("journal_mode=WAL", "synchronous=OFF", "cache_size=-1024", "temp_store=FILE", "foreign_keys=ON")
_VERSION = 5
_TABLES = """
CREATE TABLE readings (id INTEGER PRIMARY KEY, source TEXT, key TEXT, state TEXT, claimed INTEGER, skipped TEXT,
  checked REAL, current INTEGER, published INTEGER DEFAULT 0, seal INTEGER);
CREATE TABLE counts (reading INTEGER, platform TEXT, read INTEGER, PRIMARY KEY (reading, platform)) WITHOUT ROWID;
CREATE TABLE lines (reading INTEGER, platform TEXT, name TEXT, part TEXT, line BLOB, crc INTEGER,
  PRIMARY KEY (reading, platform, name, part)) WITHOUT ROWID;
"""


class LaterVersion(sqlite3.OperationalError):
    """The file is of a later version of Patches, and is left as it is."""

    def __init__(self, version: int) -> None:
        why = f"their version is {version}; this program knows {_VERSION}"
        super().__init__(f"{why}; if they are deleted, all lists are read again")


def verify_version(path: Path) -> None:
    """
    Verify that a file, if it exists, is not of a later version; other problems are found when it is used.

    :raises LaterVersion: if it is.
    """
    version = user_version(path)
    if version is not None and version > _VERSION:
        raise LaterVersion(version)


def open_staged(path: Path) -> sqlite3.Connection:
    database = connect_sqlite(path, _PRAGMAS)
    try:
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version in (2, 3, 4):  # of earlier versions of Patches
            _upgrade(database, version)
        elif version == 0:
            database.executescript(f"{_TABLES}PRAGMA user_version={_VERSION};")
        elif version > _VERSION:
            raise LaterVersion(version)
        elif version != _VERSION:
            raise sqlite3.DatabaseError(f"its version is {version}")
        if database.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            raise sqlite3.DatabaseError("it is damaged")
    except sqlite3.Error:
        with suppress(sqlite3.Error):
            database.close()
        raise
    return database


def count_records(database: sqlite3.Connection, import_id: int) -> None:
    """Count the vulnerabilities of a list by platform."""
    database.execute("DELETE FROM counts WHERE reading = ?", (import_id,))
    database.execute(
        "INSERT INTO counts SELECT reading, platform, sum(name != ?) FROM lines WHERE reading = ? GROUP BY platform",
        (FOLLOWED, import_id),
    )


def seal_list(database: sqlite3.Connection, import_id: int) -> None:
    """Store the checksum of a list's description."""
    database.execute("UPDATE readings SET seal = ? WHERE id = ?", (seal_of(database, import_id), import_id))


def line_of(record: Vulnerability) -> bytes:
    """Return the line of a record; of an enriching source's only the facts, as there are hundreds of thousands."""
    if record.platform != ALL_PLATFORMS:
        return encode_line(record)
    rating = record.severity, record.severity_source, record.cvss, record.score
    return encode_json(facts_to_wire(Facts(*rating, record.kev, record.epss))) + b"\n"


def row_of(platform: str, name: str, part: str, line: bytes) -> tuple[str, str, str, bytes, int]:
    """Return the columns of a line, with their checksum."""
    return platform, name, part, line, checksum(platform, name, part, line)


def _upgrade(database: sqlite3.Connection, version: int) -> None:
    """Add what later versions have; in version 2 nothing says what was published, so each list is once more."""
    database.create_function("checksum", 4, checksum, deterministic=True)
    database.execute("BEGIN")
    with database:
        if version == 2:
            database.execute("ALTER TABLE readings ADD COLUMN published INTEGER DEFAULT 0")
        if version < 4:
            database.execute("ALTER TABLE readings ADD COLUMN seal INTEGER")
            database.execute("ALTER TABLE lines ADD COLUMN crc INTEGER")
            database.execute("UPDATE lines SET crc = checksum(platform, name, part, line)")
            for (number,) in database.execute("SELECT id FROM readings WHERE current").fetchall():
                seal_list(database, number)
        for number in sorted(_escape(database)):
            count_records(database, number)
            database.execute("UPDATE readings SET published = 0 WHERE id = ?", (number,))
            seal_list(database, number)
        database.execute(f"PRAGMA user_version={_VERSION}")


def _escape(database: sqlite3.Connection) -> set[int]:
    """
    Escape the records that were staged before their characters were escaped. Return the readings that have changed.

    What is damaged stays as it is, and is found by whoever reads it.
    """
    database.create_function("is_odd", 1, _is_odd, deterministic=True)
    database.execute("CREATE TEMP TABLE odd AS SELECT * FROM lines WHERE is_odd(line)")
    this = "reading = ? AND platform = ? AND name = ? AND part = ?"
    changed = set()
    for number, platform, name, part, line, crc in database.execute("SELECT * FROM odd"):
        try:
            record = escaped_record(from_wire(json.loads(line)))
        except ValueError:
            continue
        if crc == checksum(platform, name, part, line):
            database.execute(f"DELETE FROM lines WHERE {this}", (number, platform, name, part))  # noqa: S608 - above
            row = row_of(record.platform, record.name, printable(part), encode_line(record))
            database.execute("INSERT OR REPLACE INTO lines VALUES (?, ?, ?, ?, ?, ?)", (number, *row))
            changed.add(number)
    database.execute("DROP TABLE odd")
    return changed


def _is_odd(line: Any) -> bool:
    """Return whether a line may have characters that cannot be shown: as they are, or as escapes of JSON."""
    text = line.decode("utf-8", "replace") if isinstance(line, bytes) else ""
    return "\\" in text or not text.removesuffix("\n").isprintable()
