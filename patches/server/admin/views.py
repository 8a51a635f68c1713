"""The content of a catalogue, as JSON documents and as tables for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from attrs import frozen
from rich.table import Table

from patches.server.catalogue.snapshot import Snapshot
from patches.server.http.representations import snapshot_document
from patches.service.terminal import TextTable
from patches.vulnerability import FixedPackage, Vulnerability
from patches.wire import to_wire

CURRENT, HELD, REPLACED = "current", "held", "replaced"


@frozen
class SnapshotRow:
    """
    A snapshot in a listing.

    :ivar state: ``current``, ``held`` or ``replaced``.
    """

    snapshot: Snapshot
    state: str


def listing_document(listed: Iterable[SnapshotRow]) -> dict[str, Any]:
    """Convert snapshots to a JSON document."""
    return {
        "snapshots": [
            {
                "platform": each.snapshot.platform,
                "state": each.state,
                **snapshot_document(each.snapshot),
                "sources": dict(each.snapshot.sources),
                "held": each.snapshot.held_back,
            }
            for each in listed
        ]
    }


def listing_table(listed: Iterable[SnapshotRow]) -> Table:
    """Convert snapshots to a table."""
    table = TextTable("Platform", "State", "Revision", "Created", "Checked", "Vulnerabilities", "Chunks", "Sources")
    for each in listed:
        snapshot, document = each.snapshot, snapshot_document(each.snapshot)
        state = f"{each.state}: {snapshot.held_back}" if snapshot.held_back is not None else each.state
        counts = str(snapshot.vulnerabilities), str(snapshot.chunks)
        times = document["created"], document["checked"]
        table.add_texts(snapshot.platform, state, snapshot.revision, *times, *counts, ", ".join(snapshot.sources))
    return table


def records_document(name: str, records: Sequence[Vulnerability]) -> dict[str, Any]:
    """Convert the records of a vulnerability id to a JSON document, each record in wire form."""
    return {"name": name, "records": [to_wire(record) for record in records]}


def records_table(records: Iterable[Vulnerability]) -> Table:
    """Convert the records of a vulnerability id to a table with a row for each package."""
    table = TextTable("Platform", "Record", "Severity", "Source", "Package", "Kind", "Affected", "Status")
    for record in records:
        about = record.platform, record.name, record.severity.name.lower(), record.source
        for fixed in record.fixed_in:
            table.add_texts(*about, _package(fixed), fixed.kind, _range(fixed), fixed.status)
        if not record.fixed_in:
            table.add_texts(*about, "", "", "", "")
    return table


def _package(fixed: FixedPackage) -> str:
    rare = [text for text in (fixed.module, fixed.track, ",".join(fixed.arches or ())) if text]
    return f"{fixed.name} ({'; '.join(rare)})" if rare else fixed.name


def _range(fixed: FixedPackage) -> str:
    """Describe the affected versions of a package."""
    start = f"{fixed.introduced} ≤ " if fixed.introduced is not None else ""
    if fixed.version is not None:
        return f"{start}v < {fixed.version}"
    return f"{start}v ≤ {fixed.last_affected}" if fixed.last_affected is not None else f"{start}v"
