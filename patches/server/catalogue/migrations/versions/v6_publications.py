"""
Version 6: publications, and the intervals of publications that had each vulnerability id.

The tables are empty at first: a server numbers the snapshots that are current once it runs.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Float, Integer, String

revision = "6"
down_revision: str | None = "5"


def upgrade() -> None:
    """Add the tables, and the number of a snapshot's publication."""
    op.add_column("snapshots", Column("publication", Integer))
    op.create_table(
        "publications",
        Column("platform", String(64), primary_key=True),
        Column("number", Integer, primary_key=True, autoincrement=False),
        Column("revision", String(64), nullable=False),
        Column("digest", String(64), nullable=False),
        Column("published", Float, nullable=False),
        Column("ended", Float),
    )
    op.create_table(
        "intervals",
        Column("platform", String(64), primary_key=True),
        Column("id", String, primary_key=True),
        Column("first", Integer, primary_key=True, autoincrement=False),
        Column("last", Integer),
        sqlite_with_rowid=False,
    )
