"""Cases for tests of the catalogue, which run on SQLite and on PostgreSQL."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import URL, Engine, create_engine
from twisted.trial.unittest import SynchronousTestCase

from tests.postgresql import postgresql


class DatabaseCase(SynchronousTestCase):
    """A case that creates databases of SQLite."""

    def new_database(self) -> Path | URL:
        """Return the location of an empty database."""
        return Path(self.mktemp()).absolute()

    def raw(self, where: Path | URL) -> Engine:
        """Return an engine that knows nothing of catalogues."""
        engine = create_engine(f"sqlite:///{where}" if isinstance(where, Path) else where)
        self.addCleanup(engine.dispose)
        return engine

    def execute(self, where: Path | URL, *statements: str) -> None:
        """Execute statements on a database directly, without the catalogue."""
        with self.raw(where).begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def rows_of(self, where: Path | URL, query: str) -> list[tuple[object, ...]]:
        """Query a database directly, without the catalogue."""
        with self.raw(where).connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(query)]


class OnPostgreSQL(DatabaseCase):
    """A mix-in that, placed before a case, runs it on PostgreSQL."""

    def new_database(self) -> Path | URL:
        """Return the location of an empty database."""
        cluster = postgresql()
        url = cluster.create()
        self.addCleanup(cluster.drop, url)
        return url
