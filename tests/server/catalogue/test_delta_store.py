"""Tests for :mod:`patches.server.catalogue.delta_store`."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.server.catalogue.chunks import cut_chunks
from patches.server.catalogue.delta import delta_name
from patches.server.catalogue.delta_store import DeltaStore
from patches.server.catalogue.schema import open_database
from patches.server.catalogue.store import Catalogue
from tests.server.fake_catalogue import lines, vulnerabilities


class StoreTests(SynchronousTestCase):
    """The deltas between two lists."""

    def setUp(self) -> None:
        engine = open_database(Path(self.mktemp()))
        self.catalogue, self.subject = Catalogue(engine), DeltaStore(engine)
        self.addCleanup(self.catalogue.close)
        self.old, self.new = (
            self.catalogue.publish("debian-12", lines(vulnerabilities(count)), {}, float(count)) for count in (10, 3000)
        )
        self.name = delta_name(self.old.revision, self.new.revision)
        self.chunks = list(cut_chunks(lines(vulnerabilities(7)), target=400))

    def test_put(self) -> None:
        """A delta is found by its target list, with its chunks and the cuts of that list."""
        self.assertEqual((self.subject.names(), self.subject.leading_to(self.new)), (set(), []))
        self.subject.put(self.old.revision, self.new.revision, self.chunks)
        [found] = self.subject.leading_to(self.new)
        self.assertEqual((found.revision, found.since, found.snapshot), (self.name, self.old.revision, self.new))
        self.assertEqual((found.changes, found.chunks), (7, len(self.chunks)))
        self.assertEqual((len(found.cuts), sum(found.cuts)), (self.new.chunks, 3000))
        self.assertEqual(self.subject.names(), {self.name})
        for chunk in self.chunks:
            self.assertEqual(self.catalogue.chunk(self.name, chunk.number).encoded, chunk.encoded)
        self.assertEqual(self.subject.leading_to(self.old), [])

    def test_again(self) -> None:
        """A delta that is stored again replaces the earlier one."""
        self.assertGreater(len(self.chunks), 1)
        for chunks in (self.chunks, self.chunks[:1]):
            self.subject.put(self.old.revision, self.new.revision, chunks)
        [found] = self.subject.leading_to(self.new)
        self.assertEqual(found.chunks, 1)

    def test_target(self) -> None:
        """The target of a delta is found by the name of the delta."""
        self.subject.put(self.old.revision, self.new.revision, [])
        self.assertEqual((self.subject.target(self.name), self.subject.target("other")), (self.new.revision, None))

    def test_size(self) -> None:
        """The size of a list is the sum of its encoded chunks; deltas do not count."""
        sizes = [len(self.catalogue.chunk(self.new.revision, n).encoded) for n in range(self.new.chunks)]
        self.assertEqual(self.subject.size(self.new), sum(sizes))
        self.subject.put(self.old.revision, self.new.revision, self.chunks)
        self.assertEqual(self.subject.size(self.new), sum(sizes))
