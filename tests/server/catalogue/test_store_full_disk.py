"""Tests of the catalogue on a full disk, and of lists that are adopted from a bundle."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from attrs import evolve
from sqlalchemy import event
from twisted.trial.unittest import SynchronousTestCase

from patches.server.catalogue.chunks import cut_chunks
from patches.server.catalogue.schema import open_database
from patches.server.catalogue.snapshot import Snapshot, revision_of
from patches.server.catalogue.store import Catalogue
from patches.server.errors import CatalogueError, OlderList
from patches.wire import StreamDigest
from tests.server.fake_catalogue import lines, vulnerabilities


class FullDiskTests(SynchronousTestCase):
    """A catalogue with a limited number of pages, which grows by one until the list fits."""

    def setUp(self) -> None:
        self.engine = open_database(Path(self.mktemp()))
        self.catalogue = Catalogue(self.engine)
        self.addCleanup(self.catalogue.close)
        self.most_pages = 1
        event.listen(self.engine, "checkout", self.limit)
        self.most_pages = 10**6
        self.old = self.publish(50, now=1.0)

    def limit(self, connection: Any, *_: object) -> None:
        """Limit the pages of a database connection."""
        connection.execute(f"PRAGMA max_page_count={self.most_pages}").close()

    def publish(self, count: int, now: float) -> Snapshot:
        """Publish a list."""
        return self.catalogue.publish("debian-12", lines(vulnerabilities(count)), {}, now)

    def failures(self, write: Callable[[], object]) -> int:
        """Write until there is room, check that each failure changes nothing, and return the number of failures."""
        for failures in range(500):
            self.most_pages = failures + 1
            try:
                write()
            except CatalogueError:
                self.assertEqual(self.catalogue.snapshots(), [self.old])
                self.assertWhole(self.old)
            else:
                return failures
        raise AssertionError("there is never room")

    def assertWhole(self, snapshot: Snapshot) -> None:
        """Check that all chunks of a snapshot are the published ones."""
        digest = StreamDigest()
        for number in range(snapshot.chunks):
            digest.add(self.catalogue.chunk(snapshot.revision, number).digest)
        self.assertEqual(digest.hexdigest(), snapshot.digest)

    def test_publish(self) -> None:
        """A list that does not fit on the disk leaves the current one unchanged; once there is room it is published."""
        self.assertGreater(self.failures(lambda: self.publish(9000, now=2.0)), 5)
        [new] = self.catalogue.current()
        self.assertEqual((new.vulnerabilities, len(self.catalogue.snapshots())), (9000, 2))
        self.assertWhole(new)

    def test_adopt(self) -> None:
        """A list of a bundle that does not fit on the disk leaves the current one unchanged."""
        chunks = list(cut_chunks(lines(vulnerabilities(9000))))
        digest = StreamDigest()
        for chunk in chunks:
            digest.add(chunk.digest)
        revision = revision_of("debian-12", digest.hexdigest())
        other = Snapshot(revision, "debian-12", 3.0, 3.0, 9000, len(chunks), digest.hexdigest(), {})
        self.assertGreater(self.failures(lambda: self.catalogue.adopt([(other, chunks)], 4.0)), 5)
        self.assertEqual(self.catalogue.current(), [other])
        self.assertWhole(other)


class AdoptTests(SynchronousTestCase):
    """Lists that are adopted from a bundle."""

    def setUp(self) -> None:
        self.catalogue = Catalogue(open_database(Path(self.mktemp())))
        self.addCleanup(self.catalogue.close)

    def test_adopted(self) -> None:
        """Adopted lists are returned in order; an older one is refused unless older lists are allowed."""
        empty = StreamDigest().hexdigest()
        one, two = (
            Snapshot(revision_of(name, empty), name, 5.0, 5.0, 0, 0, empty, {}) for name in ("debian-12", "alpine-3.20")
        )
        self.assertEqual(self.catalogue.adopt([(one, ()), (two, ())], 6.0), [one, two])
        self.assertEqual(self.catalogue.adopt([], 6.0), [])
        older = evolve(one, checked=4.0)
        self.assertRaises(OlderList, self.catalogue.adopt, [(older, ())], 7.0)
        self.assertEqual(self.catalogue.adopt([(one, ())], 7.0), [one])
        self.assertEqual(self.catalogue.adopt([(older, ())], 7.0, even_older=True), [older])

    def test_not_shared(self) -> None:
        """A database in a file is not shared with other servers."""
        self.assertIs(self.catalogue.is_shared, False)
