"""
State folders as other versions of Patches left them: made of those of this version, by statements for each version.

A step takes away what the version after it added, so an older version is several steps. A later version is the same
folder with a number that nobody knows yet.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

Change = Callable[[Path], None]

CATALOGUE, STAGED, REPORTS = "catalogue.sqlite", "lists.sqlite", "reports.sqlite"
#: The columns of a snapshot's description that version 8 of the catalogue sealed.
_SEALED = "revision, platform, created, checked, retired, vulnerabilities, chunks, digest, sources"
_SEALED += ", held, publication, body_bytes, damaged"
#: By version of the catalogue: what turns the version after it into it.
_CATALOGUE_STEPS: dict[int, tuple[str, ...]] = {
    8: ("ALTER TABLE snapshots DROP COLUMN serial",),
    7: ("ALTER TABLE snapshots DROP COLUMN damaged", "ALTER TABLE snapshots DROP COLUMN seal"),
    6: ("ALTER TABLE snapshots DROP COLUMN body_bytes", "ALTER TABLE deltas DROP COLUMN body_bytes"),
    5: ("DROP TABLE publications", "DROP TABLE intervals", "ALTER TABLE snapshots DROP COLUMN publication"),
    4: ("DROP TABLE wanted_platforms", "DROP TABLE known_platforms"),
    3: ("DELETE FROM chunks WHERE revision NOT IN (SELECT revision FROM snapshots)", "DROP TABLE deltas"),
    2: (
        "DROP INDEX one_current",
        "DROP TABLE catalogue_version",
        "CREATE TABLE schema (version INTEGER NOT NULL, PRIMARY KEY (version))",
        "INSERT INTO schema VALUES (2)",
    ),
    1: ("ALTER TABLE snapshots DROP COLUMN held", "UPDATE schema SET version = 1"),
}
#: Likewise of the staged lists, and of the reports.
_STAGED_STEPS: dict[int, tuple[str, ...]] = {
    4: (),
    3: ("ALTER TABLE readings DROP COLUMN seal", "ALTER TABLE lines DROP COLUMN crc"),
    2: ("ALTER TABLE readings DROP COLUMN published",),
}
_REPORTS_STEPS: dict[int, tuple[str, ...]] = {
    2: (
        *(f"ALTER TABLE {table} DROP COLUMN crc" for table in ("hosts", "scans", "findings")),
        *(f"ALTER TABLE {table} DROP COLUMN crc" for table in ("unverified_hosts", "unverified_findings")),
        *(f"ALTER TABLE {table} DROP COLUMN severities" for table in ("scans", "unverified_hosts")),
    ),
    1: ("DROP TABLE unverified_findings", "DROP TABLE unverified_hosts"),
}


def _execute(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        for statement in statements:
            database.execute(statement)


def older_catalogue(version: int) -> Change:
    """Return a function that turns the catalogue in a folder into one of an earlier version."""

    def change(folder: Path) -> None:
        path = folder / CATALOGUE
        for step in range(8, version - 1, -1):
            _execute(path, *_CATALOGUE_STEPS[step])
        if version >= 3:
            _execute(path, f"UPDATE catalogue_version SET version_num = '{version}'")
        if version == 8:
            _seal(path)

    return change


def _seal(path: Path) -> None:
    """Seal the descriptions of snapshots as version 8 did."""
    with closing(sqlite3.connect(path)) as database, database:
        for row in database.execute(f"SELECT {_SEALED} FROM snapshots").fetchall():
            seal = hashlib.sha256(json.dumps(list(row), default=repr).encode()).hexdigest()
            database.execute("UPDATE snapshots SET seal = ? WHERE revision = ?", (seal, row[0]))


def older_staged(version: int) -> Change:
    """Return a function that turns the staged lists in a folder into those of an earlier version."""

    def change(folder: Path) -> None:
        for step in range(4, version - 1, -1):
            _execute(folder / STAGED, *_STAGED_STEPS[step])
        _execute(folder / STAGED, f"PRAGMA user_version = {version}")

    return change


def older_reports(version: int) -> Change:
    """Return a function that turns the reports in a folder into those of an earlier version."""

    def change(folder: Path) -> None:
        for step in range(2, version - 1, -1):
            _execute(folder / REPORTS, *_REPORTS_STEPS[step])
        _execute(folder / REPORTS, f"UPDATE schema SET version = {version}")

    return change


def older_cache(folder: Path) -> None:
    """Take the digest of the description away, which earlier scanners did not write."""
    for path in (folder / "cache").glob("*.json"):
        document = json.loads(path.read_text())
        del document["digest"]
        path.write_text(json.dumps(document))


def older_outbox(folder: Path) -> None:
    """Take the digests of the reports away."""
    for path in (folder / "state/outbox").glob("*.sha256"):
        path.unlink()


def older_seen(folder: Path) -> None:
    """Keep of the record of seen lists what earlier scanners wrote."""
    for path in (folder / "state/seen").glob("*.json"):
        document = json.loads(path.read_text())
        path.write_text(json.dumps({name: document[name] for name in ("revision", "checked")}))


def later_catalogue(folder: Path) -> None:
    """Number the catalogue as a later version would."""
    _execute(folder / CATALOGUE, "UPDATE catalogue_version SET version_num = '1000'")


def later_staged(folder: Path) -> None:
    """Number the staged lists as a later version would."""
    _execute(folder / STAGED, "PRAGMA user_version = 1000")


def later_reports(folder: Path) -> None:
    """Number the reports as a later version would."""
    _execute(folder / REPORTS, "UPDATE schema SET version = 1000")


def later_cache(folder: Path) -> None:
    """Number the cached list as a later version would."""
    for path in (folder / "cache").glob("*.json"):
        path.write_text(json.dumps({**json.loads(path.read_text()), "version": 1000}))


def later_seen(folder: Path) -> None:
    """Number the record of seen lists as a later version would."""
    for path in (folder / "state/seen").glob("*.json"):
        path.write_text(json.dumps({**json.loads(path.read_text()), "version": 1000}))
