"""The script that alembic executes: it runs the migrations on the given connection, in its transaction."""

from __future__ import annotations

from alembic import context

from patches.server.catalogue.migrate import VERSION_TABLE
from patches.server.catalogue.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=VERSION_TABLE,
)
context.run_migrations()
