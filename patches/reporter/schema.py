"""The tables of the reporter's database, and the function that opens it."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    DateTime,
    Engine,
    Integer,
    MetaData,
    Row,
    String,
    Table,
    delete,
    insert,
    select,
    update,
)
from twisted.logger import Logger

from patches.reporter.report import fingerprint
from patches.reporter.row_checksums import CRC, SEVERITIES, add_columns, fill_columns, with_checksum
from patches.storage.damage import set_aside
from patches.storage.sqlite import DatabaseDamaged, DatabaseError, open_sqlite
from patches.vulnerability import Vulnerability
from patches.wire import from_wire, to_wire

SCHEMA_VERSION = 3
#: The sender of findings that no verified scan supports.
FIRST_SCANNER = "first scanner"
#: WAL: readers do not wait for a writer. FULL: a report that was acknowledged survives a power failure.
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL")

log = Logger()

METADATA = MetaData()
HOSTS = Table(
    "hosts",
    METADATA,
    Column("host", String(253), primary_key=True),
    Column("platform", String(64)),
    Column("last", String, nullable=False),  # the id of the last reported scan
    Column("shown", String, nullable=False),  # the id of the scan whose findings are stored
    Column(CRC, Integer),  # see patches.reporter.row_checksums
)
SCANS = Table(
    "scans",
    METADATA,
    Column("host", String(253), primary_key=True),
    Column("id", String, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("started", DateTime, nullable=False),  # in UTC, like all times in this database
    Column("finished", DateTime, nullable=False),
    Column("received", DateTime, nullable=False),
    Column("complete", Boolean, nullable=False),
    Column("revision", String),
    Column("digest", String),
    Column("served", BigInteger, nullable=False),
    Column("findings", Integer, nullable=False),
    Column("problem", String),
    Column("unfixed", BigInteger, nullable=False),
    Column("not_evaluated", String, nullable=False),  # a JSON object
    Column(SEVERITIES, String),  # of the findings that are stored, by severity: a JSON object
    Column(CRC, Integer),
)
FINDINGS = Table(
    "findings",
    METADATA,
    Column("host", String(253), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("severity", Integer, nullable=False),
    Column("document", String, nullable=False),
    Column(CRC, Integer),
)
#: What first scanners have said of hosts, apart from what verified scans say.
UNVERIFIED_HOSTS = Table(
    "unverified_hosts",
    METADATA,
    Column("host", String(253), primary_key=True),
    Column("platform", String(64)),
    Column("began", DateTime, nullable=False),  # the first of the parts that follow each other within an hour
    Column("received", DateTime, nullable=False),  # the last one
    Column("parts", Integer, nullable=False),
    Column("records", BigInteger, nullable=False),  # of these parts, with all copies
    Column("left_out", BigInteger, nullable=False),  # unreadable ones, and those for which there was no room
    Column(SEVERITIES, String),
    Column(CRC, Integer),
)
UNVERIFIED_FINDINGS = Table(
    "unverified_findings",
    METADATA,
    Column("host", String(253), primary_key=True),
    Column("fingerprint", String(64), primary_key=True),
    Column("received", DateTime, nullable=False),
    Column("severity", Integer, nullable=False),
    Column("name", String, nullable=False),
    Column("document", String, nullable=False),
    Column(CRC, Integer),
)
#: The tables with counts of findings, and the tables of these findings.
_COUNTED = {SCANS: FINDINGS, UNVERIFIED_HOSTS: UNVERIFIED_FINDINGS}
_TABLES = (*_COUNTED, *_COUNTED.values(), HOSTS)


class StoreError(Exception):
    """The database of the reports cannot be used; the text says why, in one line."""


def open_database(path: Path) -> Engine:
    """
    Open a database of reports in SQLite, or create an empty one; one of an earlier version is upgraded.

    A file that is damaged is set aside, and a new one created: each host sends its whole state with its next report.

    :raises StoreError: if the file is not such a database, or has an unknown version of the schema.
    """
    try:
        try:
            return _open(path)
        except DatabaseDamaged as damage:
            log.error("The reports are damaged: {damage}", damage=str(damage))
            replace_database(path)
            return _open(path)
    except (DatabaseError, OSError) as error:
        raise StoreError(str(error)) from error


def _open(path: Path) -> Engine:
    return open_sqlite(path, METADATA, SCHEMA_VERSION, _PRAGMAS, {1: _keep_bare_reports_apart, 2: _add_checksums})


def replace_database(path: Path) -> None:
    """
    Set a damaged file aside, and create an empty one.

    :raises OSError: if it cannot be renamed.
    """
    aside = set_aside(path)
    log.error("They were renamed to {aside}: each host is shown again after its next report", aside=str(aside))
    _open(path).dispose()


def unverified_row(host: str, vulnerability: Vulnerability, received: datetime) -> dict[str, Any]:
    """
    Return the row of a finding of a first scanner.

    :param received: in UTC, without an offset.
    """
    document = {**to_wire(vulnerability), "installed": None, "unverified": FIRST_SCANNER}
    row = {
        "host": host,
        "fingerprint": fingerprint(vulnerability),
        "received": received,
        "severity": int(vulnerability.severity),
        "name": vulnerability.name,
        "document": json.dumps(document),
    }
    return with_checksum(UNVERIFIED_FINDINGS, row)


def _keep_bare_reports_apart(connection: Connection) -> None:
    """Upgrade from version 1, which stored a report of the first scanner like that of a verified scan."""
    METADATA.create_all(connection)
    add_columns(connection, _TABLES)
    is_bare = SCANS.c.id.startswith("bare-"), SCANS.c.number == 0, SCANS.c.revision.is_(None), SCANS.c.digest.is_(None)
    for scan in connection.execute(select(SCANS).where(*is_bare)).all():
        of_host = HOSTS.c.host == scan.host
        host = connection.execute(select(HOSTS).where(of_host)).one()
        if host.shown == scan.id:
            _move_bare_report(connection, scan, host.platform)
        connection.execute(delete(SCANS).where(SCANS.c.host == scan.host, SCANS.c.id == scan.id))
        if host.last == scan.id:
            connection.execute(delete(HOSTS).where(of_host))
        elif host.shown == scan.id:
            connection.execute(update(HOSTS).where(of_host).values(shown=host.last))


def _add_checksums(connection: Connection) -> None:
    """Upgrade from version 2, whose rows had no checksums."""
    add_columns(connection, _TABLES)
    fill_columns(connection, _COUNTED, (*_COUNTED.values(), HOSTS))


def forget_host(connection: Connection, host: str) -> None:
    """Delete everything that is known of a host, and log that: it is shown again after its next report."""
    for table in _TABLES:
        connection.execute(delete(table).where(table.c.host == host))
    log.error("What is known of {host} is damaged: it is shown again after its next report", host=host)


def _move_bare_report(connection: Connection, scan: Row[Any], platform: str | None) -> None:
    of_host = FINDINGS.c.host == scan.host
    stored = connection.execute(select(FINDINGS.c.document).where(of_host)).scalars().all()
    found = (from_wire(json.loads(document)) for document in stored)
    rows = {row["fingerprint"]: row for row in (unverified_row(scan.host, each, scan.received) for each in found)}
    counts = {"parts": 1, "records": len(stored), "left_out": 0}
    values = {"host": scan.host, "platform": platform, "began": scan.received, "received": scan.received, **counts}
    connection.execute(insert(UNVERIFIED_HOSTS).values(values))
    if rows:
        connection.execute(insert(UNVERIFIED_FINDINGS), list(rows.values()))
    connection.execute(delete(FINDINGS).where(of_host))
