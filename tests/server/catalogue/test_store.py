"""Tests for :mod:`patches.server.catalogue.store`."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from attrs import evolve
from sqlalchemy import Engine, func, select, update
from sqlalchemy.exc import IntegrityError

from patches.server.catalogue.chunks import RecordTooLarge
from patches.server.catalogue.pruning import MOST_REPLACED, MinimumAge
from patches.server.catalogue.schema import CHUNKS, SNAPSHOTS, open_database
from patches.server.catalogue.snapshot import Snapshot
from patches.server.catalogue.store import Catalogue
from patches.server.errors import ChunkMissing
from patches.wire import StreamDigest, digest
from tests.server.databases import DatabaseCase, OnPostgreSQL
from tests.server.fake_catalogue import lines, vulnerabilities

SOURCES = {"clair": {"read": 10, "skipped": {"no-version": 2}}}


class Torn(Exception):
    """The failure of a source in the middle of its list."""


def torn(whole: list[bytes]) -> Iterator[bytes]:
    """Yield lines, and then raise."""
    yield from whole
    raise Torn()


class CatalogueCase(DatabaseCase):
    """A case with an empty catalogue."""

    def setUp(self) -> None:
        self.where = self.new_database()
        self.engine = open_database(self.where)
        self.catalogue = Catalogue(self.engine)
        self.addCleanup(self.catalogue.close)

    def publish(self, count: int = 3000, platform: str = "debian-12", now: float = 1000.0) -> Snapshot:
        """Publish a list of made-up vulnerabilities."""
        return self.catalogue.publish(platform, lines(vulnerabilities(count, platform)), SOURCES, now)

    def rows(self) -> tuple[int, int]:
        """Return the numbers of snapshots and chunks in the database."""
        with self.engine.connect() as connection:
            counts = [connection.execute(select(func.count()).select_from(t)).scalar_one() for t in (SNAPSHOTS, CHUNKS)]
        return counts[0], counts[1]


class PublishTests(CatalogueCase):
    """Snapshots are published completely or not at all."""

    def test_whole(self) -> None:
        """A published snapshot is current, and its chunks are the published list, which matches its digest."""
        snapshot = self.publish()
        self.assertEqual(self.catalogue.current(), [snapshot])
        self.assertEqual(self.catalogue.find(snapshot.revision), snapshot)
        chunks = [self.catalogue.chunk(snapshot.revision, number) for number in range(snapshot.chunks)]
        body = b"".join(gzip.decompress(chunk.encoded) for chunk in chunks)
        self.assertEqual(body, b"".join(lines(vulnerabilities(3000))))
        stream = StreamDigest()
        for chunk in chunks:
            stream.add(digest(gzip.decompress(chunk.encoded)))
        self.assertEqual(stream.hexdigest(), snapshot.digest)
        self.assertEqual((snapshot.vulnerabilities, snapshot.sources), (3000, SOURCES))
        self.assertGreater(snapshot.chunks, 1)

    def test_torn(self) -> None:
        """A list that fails in the middle leaves the last snapshot current, and no rows of its own."""
        old, rows = self.publish(10), (1, 1)
        self.assertRaises(
            Torn, self.catalogue.publish, "debian-12", torn(lines(vulnerabilities(3000))), SOURCES, 2000.0
        )
        self.assertEqual((self.catalogue.current(), self.rows()), ([old], rows))

    def test_too_large(self) -> None:
        """A list with a record that does not fit into a chunk leaves the last snapshot current, and no rows."""
        old = self.publish(10)
        bad = [*lines(vulnerabilities(3000)), b"x" * 2_000_000 + b"\n"]
        self.assertRaises(RecordTooLarge, self.catalogue.publish, "debian-12", bad, SOURCES, 2000.0)
        self.assertEqual((self.catalogue.current(), self.rows()), ([old], (1, 1)))

    def test_unseen_before(self) -> None:
        """While a snapshot is being written, other connections see only the last one."""
        old = self.publish(10)
        seen = []

        def watched() -> Iterator[bytes]:
            yield from lines(vulnerabilities(3000))
            other = Catalogue(open_database(self.where))
            seen.append((other.current(), other.find("staging:debian-12")))
            other.close()

        self.catalogue.publish("debian-12", watched(), SOURCES, 2000.0)
        self.assertEqual(seen, [([old], None)])

    def test_same_content(self) -> None:
        """An identical list is the same snapshot, with the same revision on each machine; its check is newer."""
        first, again = self.publish(now=1000.0), self.publish(now=2000.0)
        self.assertEqual((again.revision, again.created, again.checked), (first.revision, 1000.0, 2000.0))
        self.assertEqual(self.rows(), (1, first.chunks))
        other = Catalogue(open_database(self.new_database()))
        self.addCleanup(other.close)
        there = other.publish("debian-12", lines(vulnerabilities(3000)), SOURCES, 5.0)
        self.assertEqual((there.revision, there.digest), (first.revision, first.digest))

    def test_other_content(self) -> None:
        """A changed list is a new snapshot; the old one is kept for its readers."""
        old, new = self.publish(10), self.publish(11, now=2000.0)
        self.assertEqual(self.catalogue.current(), [new])
        self.assertEqual(self.catalogue.find(old.revision), old)
        self.assertEqual(self.catalogue.chunk(old.revision, 0).vulnerabilities, 10)

    def test_back_again(self) -> None:
        """A list that returns to earlier content is that earlier snapshot: it is current, and not pruned."""
        first, _ = self.publish(10), self.publish(11, now=2000.0)
        self.publish(10, now=3000.0)
        self.assertEqual([s.revision for s in self.catalogue.current()], [first.revision])
        self.assertEqual(self.catalogue.prune(set(), MinimumAge(9999.0)), 1)
        self.assertEqual([s.revision for s in self.catalogue.current()], [first.revision])

    def test_platforms_apart(self) -> None:
        """Each platform has its own current snapshot, even if two lists have the same bytes."""
        same = lines(vulnerabilities(10))
        revisions = {self.catalogue.publish(name, same, SOURCES, 1.0).revision for name in ("debian-12", "alpine-3.20")}
        self.assertEqual(len(revisions), 2)
        self.assertEqual([s.platform for s in self.catalogue.current()], ["alpine-3.20", "debian-12"])

    def test_at_once(self) -> None:
        """If a platform is published several times at once, exactly one snapshot is current at any time."""
        counts = (10, 11, 12, 13)
        engines = [open_database(self.where) for _ in counts]
        for engine in engines:
            self.addCleanup(engine.dispose)
        barrier = Barrier(len(counts))

        def publish(engine: Engine, count: int) -> str:
            barrier.wait(30)
            made = Catalogue(engine).publish("debian-12", lines(vulnerabilities(count)), SOURCES, float(count))
            return made.revision

        with ThreadPoolExecutor(len(counts)) as threads:
            made = set(threads.map(publish, engines, counts))
        (current,) = self.catalogue.current()
        self.assertIn(current.revision, made)
        self.assertEqual((len(made), self.rows()), (4, (4, 4)))

    def test_two_current(self) -> None:
        """The database itself refuses a second current snapshot of a platform."""
        old, new = self.publish(10), self.publish(11, now=2000.0)
        again = update(SNAPSHOTS).where(SNAPSHOTS.c.revision == old.revision).values(retired=None)
        with self.engine.connect() as connection:
            self.assertRaises(IntegrityError, connection.execute, again)
        self.assertEqual(self.catalogue.current(), [new])

    def test_checked(self) -> None:
        """The time of the last check can be updated; it never decreases, unless it is in the future."""
        snapshot = self.publish(10)
        for checked, now in ((2000.0, 2000.0), (1500.0, 2000.0)):
            self.catalogue.mark_checked({snapshot.revision: checked, "absent": 1.0})
            self.assertEqual(self.catalogue.current(), [evolve(snapshot, checked=now)])
        self.catalogue.mark_checked({snapshot.revision: 1500.0}, 1999.0)
        self.assertEqual(self.catalogue.current(), [evolve(snapshot, checked=1500.0)])

    def test_serial(self) -> None:
        """The serial number is the time of the check; set back, it stays for the same list, and grows for another."""
        first = self.publish(10, now=5000.0)
        self.catalogue.mark_checked({first.revision: 6000.0})
        self.catalogue.mark_checked({first.revision: 2000.0}, 2000.0)
        (again,) = self.catalogue.current()
        self.assertEqual((again.checked, again.serial), (2000.0, 6000))
        self.assertEqual(self.publish(10, now=2001.0).serial, 6000)
        self.assertEqual(self.publish(11, now=2002.0).serial, 6001)
        self.assertEqual(self.publish(10, now=2003.0).serial, 6002)
        self.assertEqual(self.publish(12, now=7000.0).serial, 7000)
        self.assertEqual(self.publish(12, "debian-11", now=2004.0).serial, 2004)

    def test_serial_served(self) -> None:
        """A number that was served, and is not stored yet, is not served again for another list."""
        self.publish(10, now=5000.0)
        records = lines(vulnerabilities(11, "debian-12"))
        later = self.catalogue.publish("debian-12", records, SOURCES, 5100.0, served=5500)
        self.assertEqual((later.checked, later.serial), (5100.0, 5501))

    def test_kept_on_disk(self) -> None:
        """A published snapshot is still current when the catalogue is opened again."""
        snapshot = self.publish()
        self.catalogue.close()
        again = Catalogue(open_database(self.where))
        self.addCleanup(again.close)
        self.assertEqual(again.current(), [snapshot])


class PruneTests(CatalogueCase):
    """Snapshots that are deleted, and those that are kept."""

    def setUp(self) -> None:
        super().setUp()
        self.old, self.new = self.publish(10, now=1000.0), self.publish(11, now=2000.0)

    def test_current(self) -> None:
        """A current snapshot is never deleted."""
        self.catalogue.prune(set(), MinimumAge(9999.0))
        self.assertEqual(self.catalogue.current(), [self.new])

    def test_unused(self) -> None:
        """A snapshot that was replaced is deleted with its chunks."""
        self.assertEqual(self.catalogue.prune(set(), MinimumAge(9999.0)), 1)
        self.assertIsNone(self.catalogue.find(self.old.revision))
        self.assertRaises(ChunkMissing, self.catalogue.chunk, self.old.revision, 0)
        self.assertEqual(self.rows(), (1, 1))

    def test_in_use(self) -> None:
        """A snapshot that a session reads is kept."""
        self.assertEqual(self.catalogue.prune({self.old.revision}, MinimumAge(9999.0)), 0)
        self.assertEqual(self.catalogue.chunk(self.old.revision, 0).number, 0)

    def test_young(self) -> None:
        """A snapshot that was replaced a short while ago is kept."""
        self.assertEqual(self.catalogue.prune(set(), MinimumAge(2000.0)), 0)
        self.assertIsNotNone(self.catalogue.find(self.old.revision))

    def test_surplus(self) -> None:
        """Only the latest replaced snapshots of each platform are kept beyond the age for surplus ones."""
        for number in range(12, 24):
            self.publish(number, now=number * 1000.0)
        self.catalogue.publish("debian-11", lines(vulnerabilities(1)), SOURCES, 1.0)
        self.catalogue.publish("debian-11", lines(vulnerabilities(2)), SOURCES, 2.0)
        before = len(self.catalogue.snapshots())
        self.assertEqual(self.catalogue.prune(set(), MinimumAge(0.0, 13_500.0)), 3)
        self.assertEqual(self.catalogue.prune(set(), MinimumAge(0.0, 99_999.0)), 13 - MOST_REPLACED - 3)
        left = self.catalogue.snapshots()
        self.assertEqual(len(left), before - 13 + MOST_REPLACED)
        self.assertEqual([s.vulnerabilities for s in left if s.platform == "debian-12"], [*range(15, 24)])

    def test_missing(self) -> None:
        """A chunk that does not exist is reported as missing."""
        self.assertRaises(ChunkMissing, self.catalogue.chunk, self.new.revision, 1)
        self.assertIsNone(self.catalogue.find("never"))


class PublishOnPostgreSQLTests(OnPostgreSQL, PublishTests):
    """The same behaviour on PostgreSQL."""


class PruneOnPostgreSQLTests(OnPostgreSQL, PruneTests):
    """The same behaviour on PostgreSQL."""
