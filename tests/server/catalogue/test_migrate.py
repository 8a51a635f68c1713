"""Tests for :mod:`patches.server.catalogue.migrate`: databases of other versions, and of other programs."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import MetaData, Table, select, update
from sqlalchemy.exc import SQLAlchemyError

from patches.server.catalogue.delta import delta_chunks
from patches.server.catalogue.delta_store import DeltaStore
from patches.server.catalogue.migrate import SCHEMA_VERSION, VERSION_TABLE, UnknownDatabase, migrate
from patches.server.catalogue.schema import SNAPSHOTS, open_database
from patches.server.catalogue.store import Catalogue
from patches.server.refresh.requests_table import RequestTable
from tests.server.catalogue.test_schema import SchemaCase
from tests.server.databases import OnPostgreSQL
from tests.server.fake_catalogue import lines, vulnerabilities

#: The tables as they were before alembic, in version 1 and 2.
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
#: What versions 7 to 9 added.
WITHOUT_SIZES = (
    "ALTER TABLE snapshots DROP COLUMN serial",
    *("ALTER TABLE snapshots DROP COLUMN damaged", "ALTER TABLE snapshots DROP COLUMN seal"),
    *("ALTER TABLE snapshots DROP COLUMN body_bytes", "ALTER TABLE deltas DROP COLUMN body_bytes"),
)
#: What version 6 and later ones added.
WITHOUT_PUBLICATIONS = (
    "DROP TABLE publications",
    "DROP TABLE intervals",
    "ALTER TABLE snapshots DROP COLUMN publication",
    *WITHOUT_SIZES,
)
SNAPSHOT = (
    "INSERT INTO snapshots (revision, platform, created, checked, vulnerabilities, chunks, digest, sources)"
    " VALUES ('r', 'debian-12', 1, 2, 0, 0, 'd', '{}')"
)


class MigrateTests(SchemaCase):
    """Databases of any kind."""

    def test_empty(self) -> None:
        """An empty database becomes a catalogue of the newest version; a second time nothing changes."""
        for _ in range(2):
            migrate(self.raw(self.where))
            self.assertEqual(self.versions(), [(str(SCHEMA_VERSION),)])

    def test_versions(self) -> None:
        """A version that is not a known number is refused, in one line."""
        migrate(self.raw(self.where))
        for version in ("0", str(SCHEMA_VERSION + 1), "-1", "x", ""):
            self.execute(self.where, f"UPDATE {VERSION_TABLE} SET version_num = '{version}'")
            said = f"^its version is {version}; this program knows {SCHEMA_VERSION}$"
            with self.assertRaisesRegex(UnknownDatabase, said):
                migrate(self.raw(self.where))

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
            *WITHOUT_PUBLICATIONS,
            f"UPDATE {VERSION_TABLE} SET version_num = '4'",
        )
        notices = RequestTable(open_database(self.where)).read()
        self.assertEqual((notices.wanted, notices.absent, notices.known), ({"debian-12": 7.0}, {}, frozenset()))

    def test_sizes(self) -> None:
        """An upgrade from version 6 computes the size of each list and of each delta from their chunks."""
        catalogue = Catalogue(open_database(self.where))
        lists = [list(lines(vulnerabilities(count))) for count in (3, 2)]
        for number, each in enumerate(lists):
            catalogue.publish("debian-12", each, {}, float(number))
        chunks = delta_chunks(*lists, 1 << 20)
        DeltaStore(catalogue._engine).put("before", catalogue.current()[0].revision, chunks)
        catalogue.close()
        self.execute(self.where, *WITHOUT_SIZES, f"UPDATE {VERSION_TABLE} SET version_num = '6'")
        engine = open_database(self.where)
        sizes = {snapshot.vulnerabilities: snapshot.body_bytes for snapshot in Catalogue(engine).snapshots()}
        self.assertEqual(sizes, {len(each): sum(map(len, each)) for each in lists})
        (delta,) = DeltaStore(engine).leading_to(Catalogue(engine).current()[0])
        self.assertEqual(delta.body_bytes, sum(each.body_bytes for each in chunks))
        engine.dispose()

    def test_serial(self) -> None:
        """An upgrade from version 8 keeps what is whole; a description that was damaged before stays damaged."""
        catalogue = Catalogue(open_database(self.where))
        for platform in ("debian-11", "debian-12"):
            catalogue.publish(platform, lines(vulnerabilities(3, platform)), {}, 5.0)
        catalogue.close()
        without = "ALTER TABLE snapshots DROP COLUMN serial"
        self.execute(self.where, without, f"UPDATE {VERSION_TABLE} SET version_num = '8'")
        # The seals of version 8 are of the columns that it had.
        with self.raw(self.where).begin() as connection:
            table = Table("snapshots", MetaData(), autoload_with=connection)
            for row in connection.execute(select(table)).all():
                values = [getattr(row, column.name) for column in SNAPSHOTS.c if column.name not in ("seal", "serial")]
                seal = hashlib.sha256(json.dumps(values, default=repr).encode()).hexdigest()
                connection.execute(update(table).where(table.c.revision == row.revision).values(seal=seal))
        self.execute(self.where, "UPDATE snapshots SET checked = 7 WHERE platform = 'debian-11'")
        engine = open_database(self.where)
        (snapshot,) = Catalogue(engine).current()
        self.assertEqual((snapshot.platform, snapshot.serial), ("debian-12", 5))
        self.assertEqual(len(Catalogue(engine).unsealed()), 1)
        engine.dispose()

    def test_unknown_version(self) -> None:
        """A database of a later version is refused, and not changed."""
        open_database(self.where)
        self.execute(
            self.where, f"UPDATE {VERSION_TABLE} SET version_num = '{SCHEMA_VERSION + 1}'", "DROP TABLE chunks"
        )
        self.assertIn(f"its version is {SCHEMA_VERSION + 1}; this program knows {SCHEMA_VERSION}", self.refusal())
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


class MigrateOnPostgreSQLTests(OnPostgreSQL, MigrateTests):
    """The same behaviour on PostgreSQL."""

    def test_same_names(self) -> None:
        """A database that has tables of the same names but no version belongs to another program."""
        self.execute(self.where, "CREATE TABLE chunks (name TEXT)")
        self.assertIn("another program", self.refusal())


class FileTests(SchemaCase):
    """Files from before alembic."""

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
        self.before(99)
        self.assertIn("its version is 99", self.refusal())
        self.assertEqual(self.rows_of(self.where, "SELECT version FROM schema"), [(99,)])

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
