"""
The seals of snapshots: a digest of each description, by which a changed one is found.

The chunks of a snapshot have digests of their own; its description says how many there are, when it was checked, what
its sources had. Whoever changes a description seals it again, but never one whose seal was broken before.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Row, select, update

from patches.server.catalogue.schema import SNAPSHOTS

_SEALED = tuple(column.name for column in SNAPSHOTS.c if column.name != "seal")


def seal_of(row: Row[Any]) -> str:
    """Return the seal that the row of a snapshot must have."""
    values = [getattr(row, name) for name in _SEALED]
    return hashlib.sha256(json.dumps(values, default=repr).encode("utf-8", "surrogatepass")).hexdigest()


def is_sealed(row: Row[Any]) -> bool:
    """Return whether the row of a snapshot has not been changed by anybody else."""
    return bool(row.seal == seal_of(row))


@contextmanager
def sealing(connection: Connection) -> Iterator[None]:
    """Seal the descriptions that the block changes; those that were damaged before stay so."""
    damaged = {row.revision for row in connection.execute(select(SNAPSHOTS)) if not is_sealed(row)}
    yield
    for row in connection.execute(select(SNAPSHOTS)).all():
        if row.revision not in damaged and not is_sealed(row):
            this = SNAPSHOTS.c.revision == row.revision
            connection.execute(update(SNAPSHOTS).where(this).values(seal=seal_of(row)))
