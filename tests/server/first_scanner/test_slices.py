"""Slices of lists, read from catalogues in memory."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, update
from sqlalchemy.pool import StaticPool
from twisted.trial.unittest import SynchronousTestCase

from patches.server.catalogue.schema import CHUNKS, METADATA
from patches.server.catalogue.snapshot import Snapshot
from patches.server.catalogue.store import Catalogue
from patches.server.errors import ChunkMissing, Damaged
from patches.server.first_scanner.slices import MOST_RECORDS, MOST_SLICE_BYTES, ListSlice, Position, read_slice
from tests.server.fake_catalogue import lines, vulnerabilities
from tests.server.server_case import bulky


class CountingCatalogue(Catalogue):
    """A catalogue in memory that counts the chunks which are read."""

    def __init__(self) -> None:
        self.engine = create_engine("sqlite://", poolclass=StaticPool)
        METADATA.create_all(self.engine)
        super().__init__(self.engine)
        self.read: list[int] = []

    def chunk(self, revision: str, number: int):  # type: ignore[no-untyped-def]
        """Read a chunk, and note its number."""
        self.read.append(number)
        return super().chunk(revision, number)


def walk(catalogue: Catalogue, snapshot: Snapshot) -> list[ListSlice]:
    """Read the slices of a list from its beginning to its end."""
    found = [read_slice(catalogue, snapshot, Position())]
    while found[-1].lines:
        found.append(read_slice(catalogue, snapshot, found[-1].end))
    return found


class SliceTests(SynchronousTestCase):
    """Reading slices."""

    def setUp(self) -> None:
        self.catalogue = CountingCatalogue()
        self.addCleanup(self.catalogue.close)

    def publish(self, content: list[bytes]) -> Snapshot:
        """Publish a list."""
        return self.catalogue.publish("debian-12", content, {}, 0.0)

    def test_fifty(self) -> None:
        """A slice has 50 records, the last one the rest; behind the end it is empty, and reads no chunk."""
        content = lines(vulnerabilities(120))
        slices = walk(self.catalogue, self.publish(content))
        self.assertEqual([len(each.lines) for each in slices], [50, 50, 20, 0])
        self.assertEqual([line + b"\n" for each in slices for line in each.lines], content)
        self.assertEqual(self.catalogue.read, [0, 0, 0])
        self.assertEqual((slices[-1].start, slices[-1].end), (Position(1), Position(1)))

    def test_whole_chunk(self) -> None:
        """A slice that ends with a chunk does not read the next one."""
        slices = walk(self.catalogue, self.publish(lines(vulnerabilities(MOST_RECORDS))))
        self.assertEqual([each.end for each in slices], [Position(1), Position(1)])
        self.assertEqual(self.catalogue.read, [0])

    def test_large_records(self) -> None:
        """A slice has a mebibyte at most, and goes on in the next chunk."""
        snapshot = self.publish(lines(bulky(9)))
        self.assertEqual(snapshot.chunks, 3)
        slices = walk(self.catalogue, snapshot)
        self.assertEqual([len(each.lines) for each in slices], [4, 4, 1, 0])
        self.assertTrue(all(sum(map(len, each.lines)) <= MOST_SLICE_BYTES for each in slices))

    def test_across_chunks(self) -> None:
        """A slice goes on in the next chunk until it has 50 records."""
        sizes = [80_000] * 10 + [4_000] * 100
        content = [b'{"n":%d,"x":"%s"}\n' % (number, b"x" * size) for number, size in enumerate(sizes)]
        snapshot = self.publish(content)
        self.assertEqual([self.catalogue.chunk(snapshot.revision, n).vulnerabilities for n in (0, 1)], [14, 96])
        self.assertEqual([len(each.lines) for each in walk(self.catalogue, snapshot)], [50, 50, 10, 0])

    def test_exactly_full(self) -> None:
        """Records that have exactly the most bytes together are one slice; with one more byte they are two."""
        for more, expected in ((0, [2, 0]), (1, [1, 1, 0])):
            half = b'{"x":"%s"}' % (b"x" * (MOST_SLICE_BYTES // 2 - 8))
            snapshot = self.publish([half + b"\n", b" " * more + half + b"\n"])
            self.assertEqual([len(each.lines) for each in walk(self.catalogue, snapshot)], expected)

    def test_empty(self) -> None:
        """The first slice of an empty list is its end."""
        self.assertEqual([each.lines for each in walk(self.catalogue, self.publish([]))], [()])

    def test_damaged(self) -> None:
        """A chunk whose bytes are not those that were published, or that is gone, is not served."""
        snapshot = self.publish(lines(vulnerabilities(3)))
        with self.catalogue.engine.begin() as connection:
            connection.execute(update(CHUNKS).values(digest=bytes(32)))
        self.assertRaises(Damaged, read_slice, self.catalogue, snapshot, Position())
        with self.catalogue.engine.begin() as connection:
            connection.execute(CHUNKS.delete())
        self.assertRaises(ChunkMissing, read_slice, self.catalogue, snapshot, Position())


@given(st.lists(st.integers(1, 700_000), max_size=130))
def test_every_record_once(sizes: list[int]) -> None:
    """Whatever the sizes of the records, the slices have every one exactly once, in order, within their bounds."""
    catalogue = CountingCatalogue()
    content = [b'{"n":%d,"x":"%s"}\n' % (number, b"x" * size) for number, size in enumerate(sizes)]
    slices = walk(catalogue, catalogue.publish("debian-12", content, {}, 0.0))
    catalogue.close()
    assert [line + b"\n" for each in slices for line in each.lines] == content
    assert all(before.end == after.start for before, after in pairwise(slices))
    for each in slices[:-1]:
        assert 1 <= len(each.lines) <= MOST_RECORDS
        assert len(each.lines) == 1 or sum(map(len, each.lines)) <= MOST_SLICE_BYTES
