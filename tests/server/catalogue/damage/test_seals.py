"""Tests for :mod:`patches.server.catalogue.damage.seals`."""

from __future__ import annotations

from sqlalchemy import select, text, update

from patches.server.catalogue.damage.seals import is_sealed, sealing
from patches.server.catalogue.schema import SNAPSHOTS, open_database
from patches.server.catalogue.store import Catalogue
from tests.server.databases import DatabaseCase, OnPostgreSQL
from tests.server.fake_catalogue import lines, vulnerabilities


class SealTests(DatabaseCase):
    """The seal of a snapshot."""

    def setUp(self) -> None:
        self.engine = open_database(self.new_database())
        self.addCleanup(self.engine.dispose)
        self.catalogue = Catalogue(self.engine)
        self.snapshot = self.catalogue.publish("debian-12", lines(vulnerabilities(3)), {"s": {"read": 3}}, 1.25)

    def sealed(self) -> bool:
        """Return whether the snapshot is sealed."""
        with self.engine.connect() as connection:
            return is_sealed(connection.execute(select(SNAPSHOTS)).one())

    def test_every_change_of_ours(self) -> None:
        """Whatever the catalogue changes, the snapshot is sealed after it."""
        self.assertTrue(self.sealed())
        self.catalogue.mark_checked({self.snapshot.revision: 99.5})
        self.assertTrue(self.sealed())
        self.catalogue.mark_damaged(self.snapshot.revision, "torn")
        self.assertTrue(self.sealed())
        self.catalogue.publish("debian-12", lines(vulnerabilities(3)), {}, 100.0)
        self.assertTrue(self.sealed())
        self.catalogue.withdraw("debian-12", 101.0)
        self.assertTrue(self.sealed())

    def test_every_column(self) -> None:
        """A change of any column by anybody else is noticed, and no later change of ours hides it."""
        for column in SNAPSHOTS.c:
            if column.name == "revision":
                continue
            self.setUp()
            kind = str(column.type)
            value = "'9'" if "CHAR" in kind else "9"
            with self.engine.begin() as connection:
                connection.execute(text(f"UPDATE snapshots SET {column.name} = {value}"))
            self.assertFalse(self.sealed(), column.name)
            self.catalogue.mark_checked({self.snapshot.revision: 1e9})
            self.assertFalse(self.sealed(), column.name)
            self.assertEqual(self.catalogue.current(), [], column.name)

    def test_sealing(self) -> None:
        """A block seals what it changes."""
        with self.engine.begin() as connection, sealing(connection):
            connection.execute(update(SNAPSHOTS).values(created=7))
        self.assertTrue(self.sealed())

    def test_dropped(self) -> None:
        """A snapshot whose description is damaged is deleted with its chunks, and published again as it was."""
        with self.engine.begin() as connection:
            connection.execute(text("UPDATE snapshots SET vulnerabilities = 9"))
        self.assertEqual(self.catalogue.unsealed(), [("debian-12", self.snapshot.revision)])
        self.assertEqual(self.catalogue.drop_unsealed(), [self.snapshot.revision])
        again = self.catalogue.publish("debian-12", lines(vulnerabilities(3)), {}, 100.0)
        self.assertEqual((again.revision, again.vulnerabilities, again.publication), (self.snapshot.revision, 3, 1))


class SealOnPostgreSQLTests(OnPostgreSQL, SealTests):
    """The same on PostgreSQL."""
