"""Version 9: each snapshot has a serial number, by which scanners find that a list is older; seals cover it, too."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from alembic import op
from sqlalchemy import BigInteger, Column, MetaData, Table, select, update

revision = "9"
down_revision: str | None = "8"

#: The columns of version 8 that a seal is about, in their order.
_SEALED = (
    *("revision", "platform", "created", "checked", "retired", "vulnerabilities", "chunks", "digest", "sources"),
    *("held", "publication", "body_bytes", "damaged"),
)


def upgrade() -> None:
    """Add the column, and seal again what was whole."""
    op.add_column("snapshots", Column("serial", BigInteger, nullable=False, server_default="0"))
    connection = op.get_bind()
    table = Table("snapshots", MetaData(), autoload_with=connection)
    for row in connection.execute(select(*(table.c[name] for name in _SEALED), table.c.seal)).all():
        *values, seal = row
        if seal == _seal(values):
            this = table.c.revision == row.revision
            connection.execute(update(table).where(this).values(seal=_seal([*values, 0])))


def _seal(values: Sequence[Any]) -> str:
    return hashlib.sha256(json.dumps(values, default=repr).encode("utf-8", "surrogatepass")).hexdigest()
