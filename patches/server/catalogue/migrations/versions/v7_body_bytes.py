"""
Version 7: the size of each snapshot and of each delta, in bytes of the uncompressed bodies of their chunks.

It is computed from the chunks that are stored: the last four bytes of a gzip are the size of its content (RFC 1952).
"""

from __future__ import annotations

from collections import Counter

from alembic import op
from sqlalchemy import BigInteger, Column, LargeBinary, MetaData, String, Table, func, select, update

revision = "7"
down_revision: str | None = "6"

_METADATA = MetaData()
_CHUNKS = Table("chunks", _METADATA, Column("revision", String(64)), Column("encoded", LargeBinary))
_SNAPSHOTS = Table("snapshots", _METADATA, Column("revision", String(64)), Column("body_bytes", BigInteger))
_DELTAS = Table("deltas", _METADATA, Column("name", String(64)), Column("body_bytes", BigInteger))


def upgrade() -> None:
    """Add the columns, and compute the sizes of what is stored."""
    for name in ("snapshots", "deltas"):
        op.add_column(name, Column("body_bytes", BigInteger, nullable=False, server_default="0"))
    sizes: Counter[str] = Counter()
    ends = select(_CHUNKS.c.revision, func.substr(_CHUNKS.c.encoded, func.length(_CHUNKS.c.encoded) - 3))
    for list_name, end in op.get_bind().execute(ends):
        sizes[list_name] += int.from_bytes(bytes(end), "little")
    for list_name, size in sizes.items():
        for table, key in ((_SNAPSHOTS, _SNAPSHOTS.c.revision), (_DELTAS, _DELTAS.c.name)):
            op.get_bind().execute(update(table).where(key == list_name).values(body_bytes=size))
