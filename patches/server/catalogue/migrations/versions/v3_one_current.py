"""Version 3: the database ensures that a platform has at most one current snapshot."""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

revision = "3"
down_revision: str | None = "2"


def upgrade() -> None:
    """Add the index."""
    current = text("retired IS NULL")
    op.create_index(
        "one_current", "snapshots", ["platform"], unique=True, sqlite_where=current, postgresql_where=current
    )
