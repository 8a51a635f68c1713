"""Tests for :mod:`patches.server.catalogue.publication_store`: catalogues from before there were publications."""

from __future__ import annotations

from sqlalchemy import delete, update

from patches.server.catalogue.damage.seals import sealing
from patches.server.catalogue.schema import CHUNKS, INTERVALS, PUBLICATIONS, SNAPSHOTS, open_database
from patches.server.errors import CatalogueError
from tests.server.catalogue.test_migrate import WITHOUT_PUBLICATIONS
from tests.server.catalogue.test_publications import PublicationCase
from tests.server.databases import OnPostgreSQL


class UpgradeTests(PublicationCase):
    """Catalogues without publications."""

    def forget(self) -> None:
        """Empty the tables of publications, as they are after an upgrade."""
        with self.engine.begin() as connection, sealing(connection):
            connection.execute(delete(PUBLICATIONS))
            connection.execute(delete(INTERVALS))
            connection.execute(update(SNAPSHOTS).values(publication=None))

    def test_numbered(self) -> None:
        """The current list of each platform is its first publication, from the time at which it was first stored."""
        self.publish(1, "CVE-0")
        self.publish(2, "CVE-1/DSA-1")
        self.publish(3, "CVE-1", platform="alpine-3.20")
        self.forget()
        self.store.maintain(100)
        self.assertEqual([each.publication for each in self.catalogue.current()], [1, 1])
        self.assertEqual((self.spans("DSA-1"), self.spans("CVE-0")), ([(1, 1, True)], []))
        self.assertEqual(self.store.find("DSA-1")["debian-12"][0].first.published, 2)
        self.assertEqual(self.publish(200, "CVE-2").publication, 2)

    def test_once(self) -> None:
        """Lists that have a publication stay as they are."""
        self.publish(1, "CVE-1")
        self.publish(2, "CVE-2")
        self.store.maintain(100)
        self.assertEqual((self.numbers(), self.spans("CVE-1")), ([1, 2], [(1, 1, False)]))

    def test_damaged(self) -> None:
        """A damaged list is an error, after all other lists were numbered; its next list has a publication again."""
        damaged = self.publish(1, "CVE-1", platform="alpine-3.20")
        self.publish(1, "CVE-1")
        self.forget()
        with self.engine.begin() as connection:
            connection.execute(update(CHUNKS).where(CHUNKS.c.revision == damaged.revision).values(encoded=b"torn"))
        with self.assertRaisesRegex(CatalogueError, f"^chunk 0 of {damaged.revision} is damaged"):
            self.store.maintain(100)
        self.assertEqual((self.spans("CVE-1"), self.spans("CVE-1", "alpine-3.20")), ([(1, 1, True)], []))
        self.assertEqual(self.publish(200, "CVE-1", "CVE-2", platform="alpine-3.20").publication, 1)


class UpgradeOnPostgreSQLTests(OnPostgreSQL, UpgradeTests):
    """The same on PostgreSQL."""


class VersionTests(PublicationCase):
    """A database of the version before."""

    def test_version_5(self) -> None:
        """A database of version 5 is upgraded, and keeps its lists."""
        where = self.new_database()
        open_database(where).dispose()
        names = "revision, platform, created, checked, vulnerabilities, chunks, digest, sources"
        self.execute(
            where,
            *WITHOUT_PUBLICATIONS,
            f"INSERT INTO snapshots ({names}) VALUES ('r', 'debian-12', 1, 2, 0, 0, 'd', '{{}}')",
            "UPDATE catalogue_version SET version_num = '5'",
        )
        open_database(where).dispose()
        self.assertEqual(self.rows_of(where, "SELECT revision, publication FROM snapshots"), [("r", None)])
        self.assertEqual(self.rows_of(where, "SELECT * FROM publications"), [])


class VersionOnPostgreSQLTests(OnPostgreSQL, VersionTests):
    """The same on PostgreSQL."""
