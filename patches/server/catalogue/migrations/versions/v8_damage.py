"""Version 8: each snapshot has a seal, the digest of its description, and a note if it was found damaged."""

from __future__ import annotations

import hashlib
import json

from alembic import op
from sqlalchemy import Column, MetaData, String, Table, select, update

revision = "8"
down_revision: str | None = "7"

#: The columns of this version that a seal is about, in their order.
_SEALED = (
    *("revision", "platform", "created", "checked", "retired", "vulnerabilities", "chunks", "digest", "sources"),
    *("held", "publication", "body_bytes", "damaged"),
)


def upgrade() -> None:
    """Add the columns, and seal what is stored."""
    op.add_column("snapshots", Column("damaged", String))
    op.add_column("snapshots", Column("seal", String(64), nullable=False, server_default=""))
    connection = op.get_bind()
    table = Table("snapshots", MetaData(), autoload_with=connection)
    for row in connection.execute(select(*(table.c[name] for name in _SEALED))).all():
        seal = hashlib.sha256(json.dumps(list(row), default=repr).encode("utf-8", "surrogatepass")).hexdigest()
        connection.execute(update(table).where(table.c.revision == row.revision).values(seal=seal))
