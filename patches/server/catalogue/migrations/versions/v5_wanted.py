"""Version 5: the platforms that scanners request from public feeds, and the platforms of the configured sources."""

from __future__ import annotations

import json

from alembic import op
from sqlalchemy import Column, Float, MetaData, String, Table, select

revision = "5"
down_revision: str | None = "4"

#: The public feeds until then: a current list that comes only from them is still read.
_PUBLIC = {
    "debian-tracker",
    "ubuntu-osv",
    "alpine-secdb",
    "wolfi-secdb",
    "chainguard-secdb",
    "alma-osv",
    "rocky-osv",
    "redhat-vex",
    "amazon-2-updateinfo",
    "amazon-2023-updateinfo",
    "suse-osv",
    "azurelinux-osv",
    "mageia-osv",
    "openeuler-osv",
}
_SNAPSHOTS = Table(
    "snapshots",
    MetaData(),
    Column("platform", String(64)),
    Column("checked", Float),
    Column("retired", Float),
    Column("sources", String),
)


def upgrade() -> None:
    """Create the tables."""
    wanted = op.create_table(
        "wanted_platforms",
        Column("platform", String(64), primary_key=True),
        Column("asked", Float, nullable=False),
        Column("absent", Float),
    )
    op.create_table("known_platforms", Column("platform", String(64), primary_key=True))
    current = op.get_bind().execute(select(_SNAPSHOTS).where(_SNAPSHOTS.c.retired.is_(None)))
    rows = [
        {"platform": row.platform, "asked": row.checked}
        for row in current
        if json.loads(row.sources) and json.loads(row.sources).keys() <= _PUBLIC
    ]
    if rows:
        op.bulk_insert(wanted, rows)
