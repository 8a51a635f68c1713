"""Tests for :mod:`patches.server.catalogue.schema` and :mod:`patches.server.catalogue.migrate`."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.exc import SQLAlchemyError

from patches.server.catalogue.migrate import SCHEMA_VERSION, VERSION_TABLE
from patches.server.catalogue.schema import METADATA, open_database
from patches.server.catalogue.store import Catalogue
from patches.server.errors import CatalogueError
from patches.server.refresh.requests_table import RequestTable
from patches.storage.database_url import database_url
from tests.postgresql import postgresql
from tests.server.databases import DatabaseCase, OnPostgreSQL
from tests.server.fake_catalogue import lines, vulnerabilities

#: The tables that Patches created before it used Alembic, in version 1 and 2.
BEFORE = (
    "CREATE TABLE snapshots (revision VARCHAR(64) NOT NULL, platform VARCHAR(64) NOT NULL, created FLOAT NOT NULL,"
    " checked FLOAT NOT NULL, retired FLOAT, vulnerabilities INTEGER NOT NULL, chunks INTEGER NOT NULL,"
    " digest VARCHAR(64) NOT NULL, sources VARCHAR NOT NULL, PRIMARY KEY (revision))",
    "CREATE INDEX ix_snapshots_platform ON snapshots (platform)",
    "CREATE TABLE chunks (revision VARCHAR(64) NOT NULL, number INTEGER NOT NULL, vulnerabilities INTEGER NOT NULL,"
    " digest BLOB NOT NULL, encoded BLOB NOT NULL, PRIMARY KEY (revision, number))",
    "CREATE TABLE schema (version INTEGER NOT NULL, PRIMARY KEY (version))",
)
HELD = "ALTER TABLE snapshots ADD COLUMN held VARCHAR"
SNAPSHOT = (
    "INSERT INTO snapshots (revision, platform, created, checked, vulnerabilities, chunks, digest, sources)"
    " VALUES ('r', 'debian-12', 1, 2, 0, 0, 'd', '{}')"
)


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

    def test_public_before(self) -> None:
        """An upgrade from version 4 marks platforms whose current list is of public feeds alone as wanted."""
        open_database(self.where)
        snapshots = [
            f"('{number}', '{name}', 1, {number}, {retired}, 0, 0, 'd', '{sources}')"
            for number, (name, retired, sources) in enumerate(
                [
                    ("debian-12", "NULL", '{"debian-tracker": {}}'),
                    ("debian-11", "5", '{"debian-tracker": {}}'),
                    ("rhel-9", "NULL", '{"redhat-vex": {}, "own": {}}'),
                    ("alpine-3.20", "NULL", "{}"),
                ],
                start=7,
            )
        ]
        names = "revision, platform, created, checked, retired, vulnerabilities, chunks, digest, sources"
        self.execute(
            self.where,
            *(f"INSERT INTO snapshots ({names}) VALUES {values}" for values in snapshots),
            "DROP TABLE wanted_platforms",
            "DROP TABLE known_platforms",
            f"UPDATE {VERSION_TABLE} SET version_num = '4'",
        )
        notices = RequestTable(open_database(self.where)).read()
        self.assertEqual((notices.wanted, notices.absent, notices.known), ({"debian-12": 7.0}, {}, frozenset()))

    def test_no_connection(self) -> None:
        """No connection is left open after a database was opened."""
        self.assertEqual(open_database(self.where).pool.checkedin(), 0)  # type: ignore[attr-defined]

    def test_unknown_version(self) -> None:
        """A database of a later version is refused, and not changed."""
        open_database(self.where)
        self.execute(self.where, f"UPDATE {VERSION_TABLE} SET version_num = '7'", "DROP TABLE chunks")
        self.assertIn(f"its version is 7; this program knows {SCHEMA_VERSION}", self.refusal())
        self.assertRaises(SQLAlchemyError, self.rows_of, self.where, "SELECT * FROM chunks")

    def test_no_version(self) -> None:
        """A database whose version cannot be found is refused."""
        open_database(self.where)
        self.execute(self.where, f"DELETE FROM {VERSION_TABLE}")
        self.refusal()

    def test_other_database(self) -> None:
        """A database of another program is refused, and not changed."""
        self.execute(self.where, "CREATE TABLE aunts (name TEXT)")
        self.assertIn("another program", self.refusal())
        self.assertRaises(SQLAlchemyError, self.rows_of, self.where, f"SELECT * FROM {VERSION_TABLE}")
        self.assertEqual(self.rows_of(self.where, "SELECT * FROM aunts"), [])

    def test_together(self) -> None:
        """A new database that several processes open at once is created once."""
        with ThreadPoolExecutor(4) as threads:
            opened = list(threads.map(lambda _: open_database(self.where), range(4)))
        self.assertEqual([Catalogue(engine).current() for engine in opened], [[]] * 4)
        self.assertEqual(self.versions(), [(str(SCHEMA_VERSION),)])


class OpenOnPostgreSQLTests(OnPostgreSQL, OpenTests):
    """The same behaviour on PostgreSQL, and the errors if the database cannot be used."""

    def said(self, text: str) -> str:
        """Return the error for a URL that cannot be used: one line, without the password."""
        said = str(self.assertRaises(CatalogueError, open_database, database_url(text)))
        self.assertNotIn("\n", said)
        self.assertNotIn("s3cret", said)
        return said

    def test_same_names(self) -> None:
        """A database that has tables of the same names but no version belongs to another program."""
        self.execute(self.where, "CREATE TABLE chunks (name TEXT)")
        self.assertIn("another program", self.refusal())

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
        self.assertIn("pip install 'patches[postgresql]'", self.said("postgresql+psycopg://me:s3cret@127.0.0.1:1/x"))


class FileTests(SchemaCase):
    """Behaviour of database files only."""

    def before(self, version: int) -> None:
        """Create a file with one snapshot, in the format before Alembic."""
        more = (HELD,) if version > 1 else ()
        self.execute(self.where, *BEFORE, *more, f"INSERT INTO schema VALUES ({version})", SNAPSHOT)

    def test_before(self) -> None:
        """A database from before Alembic is upgraded, and its snapshots are kept."""
        for version in (1, 2):
            self.setUp()
            self.before(version)
            engine = open_database(self.where)
            (snapshot,) = Catalogue(engine).current()
            self.assertEqual((snapshot.revision, snapshot.held_back), ("r", None))
            Catalogue(engine).publish("debian-12", lines(vulnerabilities(3)), {}, 5.0)
            engine.dispose()
            self.assertEqual(self.versions(), [(str(SCHEMA_VERSION),)])
            self.assertEqual(self.rows_of(self.where, "SELECT name FROM sqlite_master WHERE name = 'schema'"), [])

    def test_later(self) -> None:
        """A database from before Alembic with an unknown version is refused, and not changed."""
        self.before(9)
        self.assertIn("its version is 9", self.refusal())
        self.assertEqual(self.rows_of(self.where, "SELECT version FROM schema"), [(9,)])

    def test_all_or_nothing(self) -> None:
        """An upgrade that fails leaves the file as it was."""
        self.before(1)
        self.execute(self.where, SNAPSHOT.replace("'r'", "'s'"))
        self.refusal()
        self.assertEqual(self.rows_of(self.where, "SELECT version FROM schema"), [(1,)])
        self.assertRaises(SQLAlchemyError, self.rows_of, self.where, "SELECT held FROM snapshots")

    def test_half_made(self) -> None:
        """A database that was created only partly, and never used, is completed."""
        self.execute(self.where, BEFORE[2], BEFORE[3])
        with open_database(self.where).connect() as connection:
            self.assertEqual(connection.exec_driver_sql("SELECT count(*) FROM snapshots").scalar_one(), 0)

    def test_half_made_and_used(self) -> None:
        """A database that was created only partly, but was used, is kept."""
        self.execute(self.where, BEFORE[0], SNAPSHOT)
        self.refusal()
        self.assertEqual(self.rows_of(self.where, "SELECT revision FROM snapshots"), [("r",)])

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
