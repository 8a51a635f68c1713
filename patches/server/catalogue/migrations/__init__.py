"""The schema of the catalogue, version by version, as alembic runs it; see :mod:`patches.server.catalogue.migrate`."""
