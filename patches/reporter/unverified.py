"""
Findings of first scanners: parts of one host are merged, and kept apart from the findings of verified scans.

Such a scanner sends what it has found every five minutes, with several copies of most findings; it says neither when
its scan began nor whether it was complete. A finding stays until a part arrives more than an hour after the last one
that had it. Every function takes a connection with a transaction, and blocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Row, delete, select
from sqlalchemy.dialects.sqlite import insert

from patches.reporter.report import BareReport
from patches.reporter.row_checksums import (
    CRC,
    SEVERITIES,
    counts_by_severity,
    severities_of,
    verified_rows,
    with_checksum,
)
from patches.reporter.schema import FIRST_SCANNER, UNVERIFIED_FINDINGS, UNVERIFIED_HOSTS, unverified_row

#: Parts of one host are merged for this time.
MERGED_FOR = timedelta(hours=1)
#: The most findings of one host: anybody can send such reports.
MOST_FINDINGS = 50_000
#: The findings that are in memory at once.
_BATCH = 500


def merge_part(connection: Connection, report: BareReport, received: datetime, steady: datetime) -> None:
    """
    Merge a part of a report with the parts of the same host that came within an hour before.

    :param received: the time of day, which is shown.
    :param steady: the time by which findings grow old; see :class:`.SteadyTime`.
    """
    now, shown = (each.astimezone(UTC).replace(tzinfo=None) for each in (steady, received))
    of_host = UNVERIFIED_FINDINGS.c.host == report.host
    connection.execute(delete(UNVERIFIED_FINDINGS).where(of_host, UNVERIFIED_FINDINGS.c.received < now - MERGED_FOR))
    kept = set(connection.execute(select(UNVERIFIED_FINDINGS.c.fingerprint).where(of_host)).scalars())
    before, surplus = len(kept), set[str]()
    found = (unverified_row(report.host, each, now) for each in report.findings)
    while batch := list(islice(found, _BATCH)):
        rows: dict[str, dict[str, Any]] = {}
        for row in batch:
            named = row["fingerprint"]
            if named not in kept and len(kept) >= MOST_FINDINGS:
                surplus.add(named)
                continue
            kept.add(named)
            rows[named] = row
        if rows:
            connection.execute(_replacing(), list(rows.values()))
    _note_part(connection, report, shown, bool(before), report.unreadable + len(surplus))


def _replacing() -> Any:
    statement = insert(UNVERIFIED_FINDINGS)
    later = {name: statement.excluded[name] for name in ("received", "severity", "document", CRC)}
    return statement.on_conflict_do_update(index_elements=["host", "fingerprint"], set_=later)


def _note_part(connection: Connection, report: BareReport, now: datetime, has_kept: bool, left_out: int) -> None:
    row = _row(connection, report.host)
    continues = row is not None and (has_kept or now - row.received <= MERGED_FOR)
    values = {
        "host": report.host,
        "platform": report.platform or (row.platform if row is not None else None),
        "began": row.began if row is not None and continues else now,
        "received": now,
        "parts": 1 + (row.parts if row is not None and continues else 0),
        "records": len(report.findings) + (row.records if row is not None and continues else 0),
        "left_out": left_out + (row.left_out if row is not None and continues else 0),
        SEVERITIES: severities_of(connection, UNVERIFIED_FINDINGS, report.host),
    }
    connection.execute(delete(UNVERIFIED_HOSTS).where(UNVERIFIED_HOSTS.c.host == report.host))
    connection.execute(insert(UNVERIFIED_HOSTS).values(with_checksum(UNVERIFIED_HOSTS, values)))


def unverified_document(connection: Connection, host: str) -> dict[str, Any] | None:
    """Describe what a first scanner has said of a host; ``None`` if it has said nothing."""
    row = _row(connection, host)
    if row is None:
        return None
    return {
        "by": FIRST_SCANNER,
        "platform": row.platform,
        "began": f"{row.began.isoformat()}Z",
        "received": f"{row.received.isoformat()}Z",
        "parts": row.parts,
        "records": row.records,
        "leftOut": row.left_out,
        "findings": counts_by_severity(row.severities),
    }


def unverified_scan(unverified: dict[str, Any]) -> dict[str, Any]:
    """Return the parts of a first scanner in the form of a scan, which is not complete."""
    return {
        "id": FIRST_SCANNER,
        "number": 0,
        "started": unverified["began"],
        "finished": unverified["received"],
        "received": unverified["received"],
        "complete": False,
        "revision": None,
        "digest": None,
        "served": 0,
        "findings": sum(unverified["findings"].values()),
        "problem": f"unverified, by the {FIRST_SCANNER}",
        "unfixed": 0,
        "notEvaluated": {},
    }


def unverified_findings(connection: Connection, host: str) -> Iterator[str]:
    """
    Yield the findings of a first scanner on a host as JSON, by descending severity.

    :raises HostDamaged: at one that is damaged.
    """
    columns = UNVERIFIED_FINDINGS.c
    order = columns.severity.desc(), columns.name, columns.fingerprint
    query = select(UNVERIFIED_FINDINGS).where(columns.host == host).order_by(*order)
    yield from (row.document for row in verified_rows(connection, query, host))


def _row(connection: Connection, host: str) -> Row[Any] | None:
    query = select(UNVERIFIED_HOSTS).where(UNVERIFIED_HOSTS.c.host == host)
    return next(verified_rows(connection, query, host), None)
