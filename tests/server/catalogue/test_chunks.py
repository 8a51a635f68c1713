"""Tests for :mod:`patches.server.catalogue.chunks`."""

from __future__ import annotations

import gzip
import random
from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from patches.server.catalogue.chunks import MAX_ENCODED_BYTES, TARGET_BYTES, Chunk, RecordTooLarge, cut_chunks
from patches.wire import MAX_CHUNK_BYTES, digest
from tests.server.fake_catalogue import lines, vulnerabilities


def noise(size: int, seed: int = 0) -> bytes:
    """Create a line that can hardly be compressed."""
    return random.Random(seed).randbytes(size // 2).hex().encode()[: size - 1] + b"\n"


def body(chunk: Chunk) -> bytes:
    """Return the body of a chunk."""
    return gzip.decompress(chunk.encoded)


class CutTests(SynchronousTestCase):
    """Cutting lines into chunks."""

    def test_nothing(self) -> None:
        """Without lines there are no chunks."""
        self.assertEqual(list(cut_chunks([])), [])

    @given(st.lists(st.integers(1, 60)), st.integers(1, 100))
    def test_nothing_lost(self, sizes: list[int], target: int) -> None:
        """The chunks contain all lines in order; they are numbered from 0, and are not empty."""
        given_lines = [b"x" * (size - 1) + b"\n" for size in sizes]
        chunks = list(cut_chunks(given_lines, target))
        self.assertEqual(b"".join(map(body, chunks)), b"".join(given_lines))
        self.assertEqual([chunk.number for chunk in chunks], list(range(len(chunks))))
        self.assertEqual(sum(chunk.vulnerabilities for chunk in chunks), len(given_lines))
        for chunk in chunks:
            self.assertEqual(body(chunk).count(b"\n"), chunk.vulnerabilities)
            self.assertTrue(chunk.vulnerabilities == 1 or len(body(chunk)) <= target)
            self.assertEqual(chunk.digest, digest(body(chunk)))

    def test_by_bytes(self) -> None:
        """A chunk is cut before the line that would exceed the target size."""
        self.assertEqual([c.vulnerabilities for c in cut_chunks([b"123\n"] * 5, 8)], [2, 2, 1])
        self.assertEqual([c.vulnerabilities for c in cut_chunks([b"123\n"] * 5, 7)], [1] * 5)

    @settings(deadline=None, max_examples=25)
    @given(st.lists(st.integers(10, 400), min_size=1, max_size=60))
    def test_encoded_size(self, sizes: list[int]) -> None:
        """A chunk that compresses badly is split until each part fits; no line is lost or moved."""
        given_lines = [noise(size, seed) for seed, size in enumerate(sizes)]
        chunks = list(cut_chunks(given_lines, 4000, 500))
        self.assertEqual(b"".join(map(body, chunks)), b"".join(given_lines))
        self.assertEqual([chunk.number for chunk in chunks], list(range(len(chunks))))
        self.assertTrue(all(len(chunk.encoded) <= 500 for chunk in chunks))

    def test_defaults(self) -> None:
        """The chunks of a long list of realistic records are within the limits that readers rely on."""
        chunks = list(cut_chunks(lines(vulnerabilities(12_000))))
        self.assertGreater(len(chunks), 3)
        self.assertTrue(all(len(c.encoded) <= MAX_ENCODED_BYTES and len(body(c)) <= TARGET_BYTES for c in chunks))

    def test_too_large(self) -> None:
        """A line that does not fit into a chunk is refused with one short line."""
        error = self.assertRaises(RecordTooLarge, list, cut_chunks([b"a\n", noise(200_000), b"b\n"]))
        self.assertLess(len(str(error)), 200)
        self.assertNotIn("\n", str(error))

    def test_too_long(self) -> None:
        """A line that is longer than the limit of readers is refused even if it compresses well."""
        self.assertRaises(RecordTooLarge, list, cut_chunks([b"x" * MAX_CHUNK_BYTES + b"\n"]))

    def test_longest(self) -> None:
        """A line of exactly the length that readers accept is a chunk of its own."""
        (chunk,) = cut_chunks([b"x" * (MAX_CHUNK_BYTES - 1) + b"\n"])
        self.assertEqual(len(body(chunk)), MAX_CHUNK_BYTES)

    def test_same_bytes(self) -> None:
        """Equal lines are cut into equal bytes: the gzip header has neither a time nor a name."""
        (chunk,) = cut_chunks([b"a\n"])
        self.assertEqual(chunk.encoded[3:8], bytes(5))
        self.assertEqual(chunk.encoded, next(cut_chunks([b"a\n"])).encoded)

    def test_lazy(self) -> None:
        """Lines are read only up to the one that begins the next chunk."""
        taken = []

        def watched() -> Iterator[bytes]:
            for number in range(100):
                taken.append(number)
                yield b"123\n"

        next(cut_chunks(watched(), 8))
        self.assertEqual(len(taken), 3)
