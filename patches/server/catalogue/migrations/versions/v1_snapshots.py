"""Version 1: snapshots and their chunks."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Float, Integer, LargeBinary, String

revision = "1"
down_revision: str | None = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "snapshots",
        Column("revision", String(64), primary_key=True),
        Column("platform", String(64), nullable=False, index=True),
        Column("created", Float, nullable=False),
        Column("checked", Float, nullable=False),
        Column("retired", Float),
        Column("vulnerabilities", Integer, nullable=False),
        Column("chunks", Integer, nullable=False),
        Column("digest", String(64), nullable=False),
        Column("sources", String, nullable=False),
    )
    op.create_table(
        "chunks",
        Column("revision", String(64), primary_key=True),
        Column("number", Integer, primary_key=True),
        Column("vulnerabilities", Integer, nullable=False),
        Column("digest", LargeBinary(32), nullable=False),
        Column("encoded", LargeBinary, nullable=False),
    )
