"""Version 4: deltas; their chunks are in the table of chunks."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Integer, String

revision = "4"
down_revision: str | None = "3"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "deltas",
        Column("name", String(64), primary_key=True),
        Column("since", String(64), nullable=False),
        Column("revision", String(64), nullable=False),
        Column("changes", Integer, nullable=False),
        Column("chunks", Integer, nullable=False),
    )
