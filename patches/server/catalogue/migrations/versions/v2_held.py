"""Version 2: the reason for which the newest snapshot was held back."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, String

revision = "2"
down_revision: str | None = "1"


def upgrade() -> None:
    """Add the column."""
    op.add_column("snapshots", Column("held", String))
