"""Tests for :mod:`patches.server.catalogue.schema`."""

from __future__ import annotations

import sys
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from patches.server.catalogue.migrate import SCHEMA_VERSION, VERSION_TABLE
from patches.server.catalogue.schema import METADATA, open_database
from patches.server.errors import CatalogueError
from patches.storage.database_url import database_url
from tests.postgresql import postgresql
from tests.server.databases import DatabaseCase, OnPostgreSQL


class SchemaCase(DatabaseCase):
    """A case with an empty database."""

    def setUp(self) -> None:
        self.where = self.new_database()

    def refusal(self) -> str:
        """Return the error of opening the database: one line that names it."""
        text = str(self.assertRaises(CatalogueError, open_database, self.where))
        self.assertIn(str(self.where if isinstance(self.where, Path) else self.where.database), text)
        self.assertNotIn("\n", text)
        return text

    def versions(self) -> list[tuple[object, ...]]:
        """Read the schema version directly from the database."""
        return self.rows_of(self.where, f"SELECT version_num FROM {VERSION_TABLE}")


class OpenTests(SchemaCase):
    """Opening a catalogue's database."""

    def test_new(self) -> None:
        """A new database is created with its version in it, and can be opened again."""
        open_database(self.where)
        open_database(self.where)
        self.assertEqual(self.versions(), [(str(SCHEMA_VERSION),)])

    def test_as_declared(self) -> None:
        """The migrations create the tables that the catalogue declares."""
        with open_database(self.where).connect() as connection:
            context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
            self.assertEqual(compare_metadata(context, METADATA), [])

    def test_no_connection(self) -> None:
        """No connection is left open after a database was opened."""
        self.assertEqual(open_database(self.where).pool.checkedin(), 0)  # type: ignore[attr-defined]


class OpenOnPostgreSQLTests(OnPostgreSQL, OpenTests):
    """The same behaviour on PostgreSQL, and the errors if the database cannot be used."""

    def said(self, text: str) -> str:
        """Return the error for a URL that cannot be used: one line, without the password."""
        said = str(self.assertRaises(CatalogueError, open_database, database_url(text)))
        self.assertNotIn("\n", said)
        self.assertNotIn("s3cret", said)
        return said

    def test_not_there(self) -> None:
        """A server that cannot be reached is refused, and so is a database that does not exist."""
        self.assertIn("refused", self.said("postgresql+psycopg://me:s3cret@127.0.0.1:1/there?password=s3cret"))
        self.assertIn('"absent"', self.said(f"postgresql+psycopg://tests:s3cret@/absent?host={postgresql().folder}"))

    def test_password(self) -> None:
        """A wrong password is refused."""
        cluster = postgresql()
        cluster.execute("CREATE ROLE locked LOGIN PASSWORD 'right'")
        self.addCleanup(cluster.execute, "DROP ROLE locked")
        said = self.said(cluster.url("postgres", "locked", "s3cret").render_as_string(hide_password=False))
        self.assertIn("password authentication failed", said)

    def test_no_driver(self) -> None:
        """Without the driver the error states how to install it."""
        self.addCleanup(sys.modules.__setitem__, "psycopg", sys.modules["psycopg"])
        sys.modules["psycopg"] = None  # type: ignore[assignment]
        self.assertIn("pip install '.[postgresql]'", self.said("postgresql+psycopg://me:s3cret@127.0.0.1:1/x"))


class FileTests(SchemaCase):
    """Behaviour of database files only."""

    def test_no_database(self) -> None:
        """A file that is not a database is refused, and not changed."""
        path = self.where
        assert isinstance(path, Path)
        path.write_bytes(b"this is a letter to my aunt\n" * 100)
        self.refusal()
        self.assertTrue(path.read_bytes().startswith(b"this is a letter"))

    def test_no_folder(self) -> None:
        """A path at which a database cannot be created is refused."""
        assert isinstance(self.where, Path)
        self.where = self.where / "absent" / "catalogue.sqlite"
        self.refusal()

    def test_readers_beside_a_writer(self) -> None:
        """A database can be read while it is written."""
        engine = open_database(self.where)
        self.addCleanup(engine.dispose)
        with engine.connect() as connection:
            self.assertEqual(connection.exec_driver_sql("PRAGMA journal_mode").scalar_one(), "wal")
