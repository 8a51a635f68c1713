"""On which database a test of the catalogue runs: what holds on SQLite holds on PostgreSQL."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import URL, Engine, create_engine
from twisted.trial.unittest import SynchronousTestCase

from tests.postgresql import postgresql


class DatabaseCase(SynchronousTestCase):
    """A case that makes databases; on SQLite."""

    def new_database(self) -> Path | URL:
        """Return the location of an empty database."""
        return Path(self.mktemp()).absolute()

    def raw(self, where: Path | URL) -> Engine:
        """Return an engine that knows nothing of catalogues."""
        engine = create_engine(f"sqlite:///{where}" if isinstance(where, Path) else where)
        self.addCleanup(engine.dispose)
        return engine

    def execute(self, where: Path | URL, *statements: str) -> None:
        """Do something to a database behind the catalogue's back."""
        with self.raw(where).begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def rows_of(self, where: Path | URL, query: str) -> list[tuple[object, ...]]:
        """Ask a database behind the catalogue's back."""
        with self.raw(where).connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(query)]


class OnPostgreSQL(DatabaseCase):
    """Put before a case, this has it run on PostgreSQL."""

    def new_database(self) -> Path | URL:
        """Return the location of an empty database."""
        cluster = postgresql()
        url = cluster.create()
        self.addCleanup(cluster.drop, url)
        return url
