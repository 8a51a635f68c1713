"""Tests for :mod:`patches.scanner.inventory.rpm_header`."""

from __future__ import annotations

import struct

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.inventory import rpm_header as header
from patches.scanner.inventory.rpm_header import MalformedHeader, read_header

BASH = {header.NAME: "bash", header.VERSION: "5.1.8", header.RELEASE: "6.el9", header.ARCH: "x86_64"}
SOURCE = {header.SOURCERPM: "bash-5.1.8-6.el9.src.rpm", header.VENDOR: "A Vendor"}


def make_header(tags: dict[int, str | int]) -> bytes:
    """Return a header as rpm writes it."""
    index, data = b"", b""
    for tag, value in sorted(tags.items()):
        if isinstance(value, int):
            data += b"\0" * (-len(data) % 4)
        index += struct.pack(">IIII", tag, 4 if isinstance(value, int) else 6, len(data), 1)
        data += struct.pack(">I", value) if isinstance(value, int) else value.encode() + b"\0"
    return struct.pack(">II", len(tags), len(data)) + index + data


class HeaderTests(SynchronousTestCase):
    """Headers that the tests create."""

    def test_tags(self) -> None:
        """The known tags are returned as text, numbers in decimal; other tags are ignored."""
        tags = {**BASH, header.EPOCH: 2**31, 1009: 7, 5000: "x"}
        self.assertEqual(read_header(make_header(tags)), {**BASH, header.EPOCH: "2147483648"})
        self.assertEqual(read_header(make_header({})), {})

    def test_text(self) -> None:
        """Texts are UTF-8; other bytes are escaped."""
        self.assertEqual(read_header(make_header({header.VENDOR: "Éditeur"})), {header.VENDOR: "Éditeur"})
        whole = make_header({header.VENDOR: "xyz"}).replace(b"xyz", b"x\xffz")
        self.assertEqual(read_header(whole), {header.VENDOR: "x\\xffz"})

    def test_longer(self) -> None:
        """Bytes after the header are ignored."""
        self.assertEqual(read_header(make_header(BASH) + b"more"), BASH)

    def test_cut_everywhere(self) -> None:
        """A header that is truncated anywhere is detected."""
        whole = make_header({**BASH, **SOURCE, header.EPOCH: 7})
        self.assertEqual(read_header(whole)[header.EPOCH], "7")
        for length in range(len(whole)):
            self.assertRaises(MalformedHeader, read_header, whole[:length])

    def test_counts(self) -> None:
        """Counts that are larger than the header, or than any header, are refused before anything is read."""
        for entries, size in ((1, 0), (0, 1), (0xFFFFFFFF, 0), (0, 0xFFFFFFFF), (0x10000, 0)):
            with self.assertRaises(MalformedHeader):
                read_header(struct.pack(">II", entries, size))
        self.assertRaises(MalformedHeader, read_header, struct.pack(">II", 0x10000, 0) + bytes(16 * 0x10000))

    def test_entries(self) -> None:
        """A tag of another type, or whose value is not within the data, is refused; one that is not read may be."""
        for tag, kind, offset, valid in (
            (header.NAME, 6, 0, True),
            (header.NAME, 9, 3, True),
            (header.NAME, 7, 0, False),
            (header.NAME, 6, 4, False),
            (header.NAME, 6, 0xFFFFFFFF, False),
            (header.EPOCH, 4, 0, True),
            (header.EPOCH, 4, 1, False),
            (7777, 7, 0xFFFFFFFF, True),
        ):
            blob = struct.pack(">II", 1, 4) + struct.pack(">IIII", tag, kind, offset, 1) + b"abc\0"
            if valid:
                read_header(blob)
            else:
                self.assertRaises(MalformedHeader, read_header, blob)
