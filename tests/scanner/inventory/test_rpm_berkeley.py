"""Tests for :mod:`patches.scanner.inventory.rpm_berkeley`: databases written here by rpm's source."""

from __future__ import annotations

import struct
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.inventory import InventoryError
from patches.scanner.inventory.rpm_berkeley import read_berkeley

PAGE = 512


def make_page(order: str, number: int, kind: int, count: int, used: int, following: int = 0) -> bytes:
    """Return the head of a page."""
    return struct.pack(f"{order}QIIIHHBB", 0, number, 0, following, count, used, 1, kind)


def make_hash_page(order: str, number: int, items: list[bytes], following: int = 0) -> bytes:
    """Return a page of a bucket, with keys and values in turns."""
    offsets, data = [], b""
    for item in items:
        data = item + data
        offsets.append(PAGE - len(data))
    head = make_page(order, number, 13, len(items), 0, following) + struct.pack(f"{order}{len(items)}H", *offsets)
    return head + bytes(PAGE - len(head) - len(data)) + data


def make_berkeley(order: str = "<") -> bytes:
    """
    Return a database of two buckets and six pages.

    Bucket 0 is page 1 with the header 5, and page 3 with the header 6; bucket 1 is page 2 with the header 7, whose blob
    is on the pages 4 and 5.
    """
    key = [b"\x01" + struct.pack(f"{order}I", number) for number in (0, 5, 6, 7)]
    meta = struct.pack(f"{order}QIIIIBBBBII", 0, 0, 0x61561, 9, PAGE, 0, 8, 0, 0, 0, 5).ljust(72, b"\0")
    meta += struct.pack(f"{order}6I", 1, 1, 0, 0, 0, 0) + struct.pack(f"{order}32I", *[1] * 32)
    chain = make_page(order, 4, 7, 1, PAGE - 26, 5) + b"a" * (PAGE - 26)
    last = (make_page(order, 5, 7, 1, 14) + b"b" * 14).ljust(PAGE, b"\0")
    pages = (
        meta.ljust(PAGE, b"\0"),
        make_hash_page(order, 1, [key[0], b"\x01count", key[1], b"\x01five"], following=3),
        make_hash_page(order, 2, [key[3], b"\x03\0\0\0" + struct.pack(f"{order}II", 4, PAGE - 26 + 14)]),
        make_hash_page(order, 3, [key[2], b"\x01six"]),
        chain,
        last,
    )
    return b"".join(pages)


class BerkeleyTests(SynchronousTestCase):
    """Databases that the tests create."""

    def read(self, content: bytes, largest_blob: int = 10_000) -> dict[int, bytes | None]:
        """Read a database."""
        path = Path(self.mktemp())
        path.write_bytes(content)
        with path.open("rb") as file:
            return dict(read_berkeley(file, "f", largest_blob))

    def refused(self, content: bytes, words: str) -> None:
        """Check that a database is refused, in one line with these words."""
        message = str(self.assertRaises(InventoryError, self.read, content))
        self.assertIn(words, message)
        self.assertNotIn("\n", message)

    def test_blobs(self) -> None:
        """Blobs on pages of buckets and in chains of their own are read, in each byte order; the counter is none."""
        expected = {5: b"five", 6: b"six", 7: b"a" * (PAGE - 26) + b"b" * 14}
        for order in "<>":
            self.assertEqual(self.read(make_berkeley(order)), expected)

    def damaged(self, page: int, offset: int, value: bytes) -> bytes:
        """Return the database with other bytes at a place of a page."""
        content = bytearray(make_berkeley())
        content[page * PAGE + offset : page * PAGE + offset + len(value)] = value
        return bytes(content)

    def test_damaged_blob(self) -> None:
        """A chain that is damaged, endless or too long costs its own package; so does a value of another kind."""
        value = make_berkeley().rindex(b"\x03\0\0\0\x04") - 2 * PAGE
        for content in (
            self.damaged(4, 25, b"\x0d"),
            self.damaged(5, 8, b"\x09"),
            self.damaged(4, 16, b"\x04"),
            self.damaged(4, 16, b"\0"),
            self.damaged(4, 16, b"\x02"),
            self.damaged(2, value + 4, b"\x01"),
            self.damaged(4, 22, b"\0\0"),
            self.damaged(5, 22, b"\xff\xff"),
            self.damaged(2, value, b"\x02"),
            self.damaged(2, value + 8, b"\0\0\0\0"),
            self.damaged(2, value + 8, b"\xff\xff\xff\xff"),
        ):
            self.assertEqual(self.read(content), {5: b"five", 6: b"six", 7: None})
        self.assertIsNone(self.read(make_berkeley(), 499)[7])

    def test_damaged_page(self) -> None:
        """A page of the index that is damaged hides other packages, so the database is refused."""
        for content, words in (
            (self.damaged(1, 8, b"\x09"), "page 1 is damaged"),
            (self.damaged(1, 25, b"\x07"), "page 1 is damaged"),
            (self.damaged(1, 16, b"\x01"), "page 1 is not of the database, or in two places of it"),
            (self.damaged(1, 16, b"\x09"), "page 9 is not of the database"),
            (self.damaged(1, 20, b"\xff\xff"), "the number of items"),
            (self.damaged(1, 20, b"\x03\0"), "the number of items"),
            (self.damaged(1, 26, b"\xff\xff"), "the items of a page"),
            (self.damaged(1, PAGE - 5, b"\x03"), "a key is damaged"),
            (self.damaged(0, 72, b"\xff"), "the number of buckets"),
        ):
            self.refused(content, words)

    def test_refused(self) -> None:
        """Files of another kind or version, and truncated ones, are errors of one line."""
        whole = make_berkeley()
        for content in (b"", b"noise" * 1000, whole[:100]):
            self.refused(content, "not a hash of Berkeley DB")
        self.refused(self.damaged(0, 16, b"\x07"), "unknown version")
        self.refused(self.damaged(0, 20, b"\x01"), "unknown version")
        for length in (len(whole) - 1, PAGE):
            self.refused(whole[:length], "truncated")
