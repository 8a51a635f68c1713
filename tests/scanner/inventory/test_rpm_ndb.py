"""Tests for :mod:`patches.scanner.inventory.rpm_ndb`: databases written here by rpm's source."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.inventory import InventoryError
from patches.scanner.inventory.rpm_ndb import read_ndb


def make_ndb(blobs: dict[int, bytes], pages: int = 1) -> bytes:
    """Return a database as rpm writes it, with these blobs by their numbers."""
    slots, content = b"", b""
    for number, blob in blobs.items():
        part = struct.pack("<4sIII", b"BlbS", number, 1, len(blob)) + blob
        part += bytes(-(len(part) + 12) % 16)
        part += struct.pack("<II4s", zlib.adler32(part), len(blob), b"BlbE")
        slots += struct.pack("<4sIII", b"Slot", number, (pages * 4096 + len(content)) // 16, len(part) // 16)
        content += part
    free = struct.pack("<4sIII", b"Slot", 0, 0, 0) * (pages * 256 - 2 - len(blobs))
    return struct.pack("<4sIIII", b"RpmP", 0, 1, pages, 99) + bytes(12) + slots + free + content


def read(content: bytes, largest_blob: int = 10_000) -> list[tuple[int, bytes | None]]:
    """Read a database."""
    return list(read_ndb(BytesIO(content), "f", largest_blob))


BLOBS = {7: b"first", 3: b"", 9: b"x" * 5000}


class NdbTests(SynchronousTestCase):
    """Databases that the tests create."""

    def test_blobs(self) -> None:
        """The blobs are read in the order of the file, however many pages of slots there are."""
        for pages in (1, 3):
            self.assertEqual(read(make_ndb(BLOBS, pages)), list(BLOBS.items()))
        self.assertEqual(read(make_ndb({})), [])

    def test_damaged_blob(self) -> None:
        """A blob whose head or tail is damaged, or that is too long, costs only itself."""
        whole = make_ndb(BLOBS)
        for old, new in (
            (b"BlbS", b"BlbX"),
            (b"BlbS\x07", b"BlbS\x08"),
            (b"BlbE", b"BlbX"),
            (b"\x05\0\0\0first", b"\x06\0\0\0first"),
            (b"\x05\0\0\0first", b"\xff\0\0\0first"),
            (b"\x05\0\0\0BlbE", b"\x06\0\0\0BlbE"),
        ):
            self.assertIn(old, whole)
            self.assertEqual([blob is None for _, blob in read(whole.replace(old, new, 1))], [True, False, False])
        self.assertEqual([number for number, blob in read(whole, 4999) if blob is None], [9])

    def test_refused(self) -> None:
        """A truncated database, damaged slots and files of another kind are errors of one line."""
        whole = make_ndb(BLOBS)
        slot = whole[32:48]
        far = struct.pack("<4sIII", b"Slot", 7, 5000, 3)
        for damaged in (
            *(b"", b"RpmP", b"noise" * 2000, whole[:-16], whole[:-1], whole[:4096], whole[:2000]),
            whole[:4] + b"\1" + whole[5:],
            whole[:12] + struct.pack("<I", 0) + whole[16:],
            whole[:12] + struct.pack("<I", 2**31) + whole[16:],
            whole.replace(b"Slot", b"slot", 1),
            whole.replace(slot, far),
            whole.replace(slot, struct.pack("<4sIII", b"Slot", 0, 256, 3)),
            whole.replace(slot, struct.pack("<4sIII", b"Slot", 7, 2, 3)),
            whole.replace(slot, struct.pack("<4sIII", b"Slot", 7, 256, 0)),
            make_ndb({}).replace(b"Slot" + bytes(12), struct.pack("<4sIII", b"Slot", 1, 256, 3)) + bytes(48),
        ):
            self.assertNotIn("\n", str(self.assertRaises(InventoryError, read, damaged)))
