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
    """The end of a source that breaks off."""


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
        """Publish a made-up list of some length."""
        return self.catalogue.publish(platform, lines(vulnerabilities(count, platform)), SOURCES, now)

    def rows(self) -> tuple[int, int]:
        """Return how many snapshots and chunks the database has in all."""
        with self.engine.connect() as connection:
            counts = [connection.execute(select(func.count()).select_from(t)).scalar_one() for t in (SNAPSHOTS, CHUNKS)]
        return counts[0], counts[1]


class PublishTests(CatalogueCase):
    """Snapshots are there whole, or not at all."""

    def test_whole(self) -> None:
        """A published snapshot is current, and its chunks are its list, as its digest says."""
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
        """A list that breaks off leaves the last snapshot current, and nothing of itself behind."""
        old, rows = self.publish(10), (1, 1)
        self.assertRaises(
            Torn, self.catalogue.publish, "debian-12", torn(lines(vulnerabilities(3000))), SOURCES, 2000.0
        )
        self.assertEqual((self.catalogue.current(), self.rows()), ([old], rows))

    def test_too_large(self) -> None:
        """So does one with a record that no chunk can hold."""
        old = self.publish(10)
        bad = [*lines(vulnerabilities(3000)), b"x" * 2_000_000 + b"\n"]
        self.assertRaises(RecordTooLarge, self.catalogue.publish, "debian-12", bad, SOURCES, 2000.0)
        self.assertEqual((self.catalogue.current(), self.rows()), ([old], (1, 1)))

    def test_unseen_before(self) -> None:
        """While a snapshot is written, others see the last one only."""
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
        """The same list is the same snapshot, with the same revision on every machine; only its check is newer."""
        first, again = self.publish(now=1000.0), self.publish(now=2000.0)
        self.assertEqual((again.revision, again.created, again.checked), (first.revision, 1000.0, 2000.0))
        self.assertEqual(self.rows(), (1, first.chunks))
        other = Catalogue(open_database(self.new_database()))
        self.addCleanup(other.close)
        there = other.publish("debian-12", lines(vulnerabilities(3000)), SOURCES, 5.0)
        self.assertEqual((there.revision, there.digest), (first.revision, first.digest))

    def test_other_content(self) -> None:
        """Another list is another snapshot; the old one stays, for those who read it."""
        old, new = self.publish(10), self.publish(11, now=2000.0)
        self.assertEqual(self.catalogue.current(), [new])
        self.assertEqual(self.catalogue.find(old.revision), old)
        self.assertEqual(self.catalogue.chunk(old.revision, 0).vulnerabilities, 10)

    def test_back_again(self) -> None:
        """A list that becomes what it was before is that snapshot again, current and not to be pruned."""
        first, _ = self.publish(10), self.publish(11, now=2000.0)
        self.publish(10, now=3000.0)
        self.assertEqual([s.revision for s in self.catalogue.current()], [first.revision])
        self.assertEqual(self.catalogue.prune(set(), MinimumAge(9999.0)), 1)
        self.assertEqual([s.revision for s in self.catalogue.current()], [first.revision])

    def test_platforms_apart(self) -> None:
        """Each platform has a current snapshot of its own, even if the lists have the same bytes."""
        same = lines(vulnerabilities(10))
        revisions = {self.catalogue.publish(name, same, SOURCES, 1.0).revision for name in ("debian-12", "alpine-3.20")}
        self.assertEqual(len(revisions), 2)
        self.assertEqual([s.platform for s in self.catalogue.current()], ["alpine-3.20", "debian-12"])

    def test_at_once(self) -> None:
        """Of several that publish a platform at once, one after the other is current: never two, and never none."""
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
        """When a list was last checked can be written down; it never gets older."""
        snapshot = self.publish(10)
        for checked, now in ((2000.0, 2000.0), (1500.0, 2000.0)):
            self.catalogue.mark_checked({snapshot.revision: checked, "absent": 1.0})
            self.assertEqual(self.catalogue.current(), [evolve(snapshot, checked=now)])

    def test_kept_on_disk(self) -> None:
        """It is there when the catalogue is opened again."""
        snapshot = self.publish()
        self.catalogue.close()
        again = Catalogue(open_database(self.where))
        self.addCleanup(again.close)
        self.assertEqual(again.current(), [snapshot])


class PruneTests(CatalogueCase):
    """What nobody needs any more is deleted."""

    def setUp(self) -> None:
        super().setUp()
        self.old, self.new = self.publish(10, now=1000.0), self.publish(11, now=2000.0)

    def test_current(self) -> None:
        """A current snapshot is never deleted."""
        self.catalogue.prune(set(), MinimumAge(9999.0))
        self.assertEqual(self.catalogue.current(), [self.new])

    def test_unused(self) -> None:
        """A snapshot that was replaced goes, with its chunks."""
        self.assertEqual(self.catalogue.prune(set(), MinimumAge(9999.0)), 1)
        self.assertIsNone(self.catalogue.find(self.old.revision))
        self.assertRaises(ChunkMissing, self.catalogue.chunk, self.old.revision, 0)
        self.assertEqual(self.rows(), (1, 1))

    def test_in_use(self) -> None:
        """Unless a session reads it."""
        self.assertEqual(self.catalogue.prune({self.old.revision}, MinimumAge(9999.0)), 0)
        self.assertEqual(self.catalogue.chunk(self.old.revision, 0).number, 0)

    def test_young(self) -> None:
        """Or it was replaced a short while ago only."""
        self.assertEqual(self.catalogue.prune(set(), MinimumAge(2000.0)), 0)
        self.assertIsNotNone(self.catalogue.find(self.old.revision))

    def test_surplus(self) -> None:
        """Of those that were replaced more than an hour ago, say, only the latest are kept, of each platform."""
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
        """A chunk that never was is missing."""
        self.assertRaises(ChunkMissing, self.catalogue.chunk, self.new.revision, 1)
        self.assertIsNone(self.catalogue.find("never"))


class PublishOnPostgreSQLTests(OnPostgreSQL, PublishTests):
    """The same on PostgreSQL."""


class PruneOnPostgreSQLTests(OnPostgreSQL, PruneTests):
    """The same on PostgreSQL."""
