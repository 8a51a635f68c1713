"""
The store of reports: for each host the last report, and the findings of the last complete scan.

What a first scanner says of a host is stored apart (:mod:`~patches.reporter.unverified`), and replaces nothing of that.

Every function blocks and is called in a thread. A report is stored in one transaction: whole or not at all.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import Enum
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from sqlalchemy import Connection, Engine, Row, delete, insert, select, union
from sqlalchemy.exc import DatabaseError as AnyDatabaseError
from sqlalchemy.exc import OperationalError

from patches.reporter.report import BareReport, Report, ReportedFinding, Scan
from patches.reporter.row_checksums import (
    SEVERITIES,
    HostDamaged,
    counts_by_severity,
    severities_of,
    verified_rows,
    with_checksum,
)
from patches.reporter.schema import FINDINGS, HOSTS, SCANS, UNVERIFIED_HOSTS, StoreError, forget_host, replace_database
from patches.reporter.unverified import (
    merge_part,
    unverified_document,
    unverified_findings,
    unverified_scan,
)
from patches.storage.damage import is_file_damage
from patches.storage.sqlite import reason
from patches.wire import encode_json, to_wire

#: The findings that are in memory at once.
BATCH = 500

T = TypeVar("T")


class Acceptance(Enum):
    """The result of storing a report."""

    STORED = "stored"
    KNOWN = "known"  # this report was already stored
    OLDER = "older"  # a newer report of the host was already stored
    MERGED = "merged"  # with other parts of a report of a first scanner


class ReportStore:
    """
    The reports of a fleet in a database.

    :param engine: a SQLAlchemy engine; see :func:`patches.reporter.schema.open_database`.
    :param steady: returns the time in seconds since the epoch, by which findings of first scanners grow old; ``None``:
        that of the receipt.
    """

    def __init__(self, engine: Engine, steady: Callable[[], float] | None = None) -> None:
        self._engine = engine
        self._steady = steady
        # SQLite allows one writer at a time: a thread waits here instead of failing with "database is locked"
        self._writing = threading.Lock()

    def accept(self, report: Report | BareReport, received: datetime) -> Acceptance:
        """
        Store a report, unless the same one or a newer one of the host is already stored; merge that of a first scanner.
        """
        with self._writing, self._errors(), self._engine.begin() as connection:
            _forget_damaged(connection, report.host)
            if isinstance(report, BareReport):
                steady = received if self._steady is None else datetime.fromtimestamp(self._steady(), UTC)
                merge_part(connection, report, received, steady)
                return Acceptance.MERGED
            kept = {row.id: row for row in _scans(connection, report.host)}
            if report.scan.id in kept:
                return Acceptance.KNOWN
            if any(_is_older(report.scan, row) for row in kept.values()):
                return Acceptance.OLDER
            # the findings of an incomplete scan may lack some: those of the last complete scan stay
            shown = next((row.id for row in kept.values() if row.complete and not report.scan.complete), report.scan.id)
            _replace(connection, report, received, shown)
            return Acceptance.STORED

    def hosts(self, after: str, limit: int) -> list[dict[str, Any]]:
        """
        Return the state of hosts, in the order of their names.

        :param after: return only hosts whose names are greater than this one.
        :param limit: the most hosts to return.
        """
        with self._read_transaction() as connection:
            names = union(select(HOSTS.c.host), select(UNVERIFIED_HOSTS.c.host)).subquery()
            page = select(names.c.host).where(names.c.host > after).order_by(names.c.host).limit(limit)
            listed = connection.execute(page).scalars().all()
        documents = (self._whole(name, partial(_host_document, name=name)) for name in listed)
        return [document for document in documents if document is not None]

    def write_findings(self, host: str, file: BinaryIO) -> bool:
        """
        Write the state of a host with its findings to a file, as a JSON object: a host may have any number of them.

        :return: whether the host has sent a report; one that is damaged is forgotten.
        """
        return self._whole(host, partial(_write_host, host=host, file=file)) or False

    def _whole(self, host: str, read: Callable[[Connection], T]) -> T | None:
        """Read what is known of a host; if that is damaged, forget it, and return ``None``."""
        try:
            with self._read_transaction() as connection:
                return read(connection)
        except HostDamaged:
            with self._writing, self._errors(), self._engine.begin() as connection:
                forget_host(connection, host)
            return None

    @contextmanager
    def _read_transaction(self) -> Iterator[Connection]:
        """
        Yield a connection whose reads all see the same state, even if a report is stored in the meantime.

        The driver begins a transaction only before a write, so the transaction is begun here.
        """
        with self._errors(), self._engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            yield connection

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Convert errors of the database to :exc:`StoreError`; a file that is damaged is set aside and replaced."""
        try:
            yield
        except AnyDatabaseError as error:
            path = self._engine.url.database
            if is_file_damage(error.orig) and path is not None:
                self._engine.dispose()
                replace_database(Path(path))
            elif not isinstance(error, OperationalError):
                raise
            raise StoreError(reason(error)) from error


def _write_host(connection: Connection, host: str, file: BinaryIO) -> bool:
    """
    Write what is known of a host to a file, from its beginning. Return whether anything is known.

    :raises HostDamaged: if some of that is damaged; then a part of it may be written.
    """
    state = _host_document(connection, host)
    if state is None:
        return False
    unverified = state.pop("unverified", None)
    of_first = unverified_findings(connection, host)
    if connection.execute(select(HOSTS.c.host).where(HOSTS.c.host == host)).one_or_none() is None:
        _write_with_list(file, {**state, "unverified": unverified}, of_first)
        return True
    if unverified is not None:
        file.write(encode_json(state)[:-1] + b',"unverified":')
        _write_with_list(file, unverified, of_first)
        file.write(b",")
        state = {}
    _write_with_list(file, state, _findings(connection, host), state != {})
    return True


def _write_with_list(file: BinaryIO, document: dict[str, Any], items: Iterable[str], opens: bool = True) -> None:
    """
    Write a JSON object with a list of vulnerabilities at its end.

    :param items: as JSON.
    :param opens: whether the object begins here; if not, its beginning has been written.
    """
    head = encode_json(document)[:-1]
    file.write((head + b"," * (len(head) > 1) if opens else b"") + b'"vulnerabilities":[')
    for number, item in enumerate(items):
        file.write(b"," * (number > 0) + item.encode("utf-8"))
    file.write(b"]}")


def _scans(connection: Connection, host: str) -> Sequence[Row[Any]]:
    return list(verified_rows(connection, select(SCANS).where(SCANS.c.host == host), host))


def _host(connection: Connection, host: str) -> Row[Any] | None:
    return next(verified_rows(connection, select(HOSTS).where(HOSTS.c.host == host), host), None)


def _findings(connection: Connection, host: str) -> Iterator[str]:
    """
    Yield the findings of a host as JSON.

    :raises HostDamaged: at one that is damaged; at the end, if there are more or fewer than were stored.
    """
    count = 0
    query = select(FINDINGS).where(FINDINGS.c.host == host).order_by(FINDINGS.c.position)
    for row in verified_rows(connection, query, host):
        count += 1
        yield row.document
    if any(sum(json.loads(scan.severities).values()) != count for scan in _scans(connection, host)):
        raise HostDamaged(host)


def _forget_damaged(connection: Connection, host: str) -> None:
    """Forget a host of which something is damaged, or of which a row is lost: a report is not compared with that."""
    try:
        if _host_document(connection, host) is not None or not _scans(connection, host):
            return
    except HostDamaged:
        pass
    forget_host(connection, host)


def _is_older(scan: Scan, kept: Row[Any]) -> bool:
    """
    Return whether a scan is older than a stored one: both its number is not greater and its end is not later.

    A scanner that lost its state counts from the start again; then only the time shows that its report is newer.
    """
    return bool(scan.number <= kept.number and scan.finished <= kept.finished.replace(tzinfo=UTC))


def _replace(connection: Connection, report: Report, received: datetime, shown: str) -> None:
    """
    Replace the last report of a host.

    :param shown: the id of the scan whose findings are shown; the findings are replaced only if it is the report's own.
    """
    host = report.host
    connection.execute(delete(HOSTS).where(HOSTS.c.host == host))
    connection.execute(delete(SCANS).where(SCANS.c.host == host, SCANS.c.id != shown))
    row = {"host": host, "platform": report.platform, "last": report.scan.id, "shown": shown}
    connection.execute(insert(HOSTS).values(with_checksum(HOSTS, row)))
    if shown == report.scan.id:
        connection.execute(delete(FINDINGS).where(FINDINGS.c.host == host))
        rows = (_finding_row(host, position, finding) for position, finding in enumerate(report.findings))
        while batch := list(islice(rows, BATCH)):
            connection.execute(insert(FINDINGS), batch)
    # Every scan has the counts of the findings that are stored, also one whose own are not.
    told = {**_scan_row(report, received), SEVERITIES: severities_of(connection, FINDINGS, host)}
    connection.execute(insert(SCANS).values(with_checksum(SCANS, told)))


def _scan_row(report: Report, received: datetime) -> dict[str, Any]:
    scan = report.scan
    times = {"started": scan.started, "finished": scan.finished, "received": received}
    return {
        "host": report.host,
        "id": scan.id,
        "number": scan.number,
        **{name: time.astimezone(UTC).replace(tzinfo=None) for name, time in times.items()},
        "complete": scan.complete,
        "revision": scan.revision,
        "digest": scan.digest,
        "served": scan.served,
        "findings": len(report.findings),
        "problem": scan.problem,
        "unfixed": scan.unfixed,
        "not_evaluated": json.dumps(dict(scan.not_evaluated)),
    }


def _finding_row(host: str, position: int, finding: ReportedFinding) -> dict[str, Any]:
    installed = finding.installed
    document = {
        **to_wire(finding.vulnerability),
        "installed": {
            "name": installed.name,
            "version": installed.version,
            "source": installed.source,
            "sourceVersion": installed.source_version,
            "arch": installed.arch,
        },
    }
    severity = int(finding.vulnerability.severity)
    row = {"host": host, "position": position, "severity": severity, "document": json.dumps(document)}
    return with_checksum(FINDINGS, row)


def _host_document(connection: Connection, name: str) -> dict[str, Any] | None:
    """Describe a host; one of which only a first scanner has said something is like one without a complete scan."""
    host = _host(connection, name)
    unverified = unverified_document(connection, name)
    if host is None:
        return _unverified_host(name, unverified) if unverified is not None else None
    rows = {row.id: row for row in _scans(connection, name)}
    if not rows.keys() >= {host.last, host.shown}:
        raise HostDamaged(name)
    scans = {number: _scan_document(row) for number, row in rows.items()}
    return {
        "host": name,
        "platform": host.platform,
        "complete": scans[host.last]["complete"],
        "lastScan": scans[host.last],
        "findingsScan": scans[host.shown],
        "findings": counts_by_severity(rows[host.shown].severities),
        **({"unverified": unverified} if unverified is not None else {}),
    }


def _unverified_host(name: str, unverified: dict[str, Any]) -> dict[str, Any]:
    scan = unverified_scan(unverified)
    return {
        "host": name,
        "platform": unverified["platform"],
        "complete": False,
        "lastScan": scan,
        "findingsScan": scan,
        "findings": unverified["findings"],
        "unverified": unverified,
    }


def _scan_document(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id,
        "number": row.number,
        **{name: f"{getattr(row, name).isoformat()}Z" for name in ("started", "finished", "received")},
        "complete": row.complete,
        "revision": row.revision,
        "digest": row.digest,
        "served": row.served,
        "findings": row.findings,
        "problem": row.problem,
        "unfixed": row.unfixed,
        "notEvaluated": json.loads(row.not_evaluated),
    }
