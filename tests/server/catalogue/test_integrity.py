"""Tests for :mod:`patches.server.catalogue.integrity`."""

from __future__ import annotations

import gzip
from pathlib import Path

from attrs import evolve
from sqlalchemy import delete, update
from twisted.trial.unittest import SynchronousTestCase

from patches.server.catalogue.chunks import cut_chunks
from patches.server.catalogue.integrity import Damaged, chunk_body, find_damage, read_lines, verified_body
from patches.server.catalogue.schema import CHUNKS, open_database
from patches.server.catalogue.store import Catalogue
from patches.server.errors import ChunkMissing
from patches.wire import MAX_CHUNK_BYTES
from tests.server.fake_catalogue import lines, vulnerabilities

RECORDS = lines(vulnerabilities(4000))


class BodyTests(SynchronousTestCase):
    """The body of a single chunk."""

    def test_limit(self) -> None:
        """A body of the maximum length is decompressed; a longer one is damaged."""
        for size, expected in ((MAX_CHUNK_BYTES, True), (MAX_CHUNK_BYTES + 1, False), (MAX_CHUNK_BYTES * 9, False)):
            body = b"x" * (size - 1) + b"\n"
            if expected:
                self.assertEqual(chunk_body(gzip.compress(body)), body)
            else:
                self.assertIn("longer than", str(self.assertRaises(Damaged, chunk_body, gzip.compress(body))))

    def test_damaged(self) -> None:
        """A chunk is damaged if it is not gzip, is truncated, has trailing data, or lacks the final newline."""
        whole = gzip.compress(b"line\n")
        for encoded in (b"", b"?", whole[:-1], whole + b"x", whole * 2, gzip.compress(b"line"), gzip.compress(b"")):
            self.assertRaises(Damaged, chunk_body, encoded)

    def test_verified(self) -> None:
        """The digest and the number of lines must match the stored ones; the error names the chunk."""
        [chunk] = cut_chunks(RECORDS[:5])
        self.assertEqual(verified_body(chunk), b"".join(RECORDS[:5]))
        for changes, said in (
            ({"digest": bytes(32)}, "its digest"),
            ({"vulnerabilities": 6}, "it does not have 6 lines"),
        ):
            error = self.assertRaises(Damaged, verified_body, evolve(chunk, **changes))
            self.assertTrue(str(error).startswith("chunk 0: ") and said in str(error), error)


class DamageTests(SynchronousTestCase):
    """A list of several chunks in a catalogue."""

    def setUp(self) -> None:
        self.engine = open_database(Path(self.mktemp()))
        self.catalogue = Catalogue(self.engine)
        self.addCleanup(self.catalogue.close)
        self.snapshot = self.catalogue.publish("debian-12", RECORDS, {}, 1.0)
        self.assertGreater(self.snapshot.chunks, 1)

    def find_damage(self) -> list[str]:
        """Return the damage of the snapshot."""
        return list(find_damage(self.catalogue, self.snapshot))

    def test_whole(self) -> None:
        """A snapshot that is intact has no damage, and its lines are the published ones."""
        self.assertEqual(self.find_damage(), [])
        self.assertEqual(list(read_lines(self.catalogue, self.snapshot)), RECORDS)

    def test_missing(self) -> None:
        """A missing chunk is named, and the errors that follow from it are reported."""
        with self.engine.begin() as connection:
            connection.execute(delete(CHUNKS).where(CHUNKS.c.number == 1))
        said = self.find_damage()
        self.assertEqual(said[0], "chunk 1: missing")
        self.assertEqual(len(said), 3)
        self.assertRaises(ChunkMissing, list, read_lines(self.catalogue, self.snapshot))

    def test_changed(self) -> None:
        """A chunk that was changed is named."""
        with self.engine.begin() as connection:
            connection.execute(update(CHUNKS).where(CHUNKS.c.number == 1).values(encoded=gzip.compress(b"other\n")))
        self.assertEqual(self.find_damage(), ["chunk 1: its digest differs from the stored one"])
        self.assertRaises(Damaged, list, read_lines(self.catalogue, self.snapshot))

    def test_description(self) -> None:
        """A snapshot whose chunk count, number of vulnerabilities, digest or platform is wrong is reported."""
        for changes, said in (
            ({"chunks": self.snapshot.chunks - 1}, f"it has more than its {self.snapshot.chunks - 1} chunks"),
            ({"vulnerabilities": 1}, "it has 4000 vulnerabilities, not 1"),
            ({"digest": "00"}, "the digest of the whole list is not the recorded one"),
            ({"platform": "debian-13"}, "its revision is not the one of its platform and digest"),
        ):
            self.assertIn(said, list(find_damage(self.catalogue, evolve(self.snapshot, **changes))), changes)
