"""Tests for :mod:`patches.scanner.inventory.rpm_header`."""

from __future__ import annotations

import hashlib
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


def make_signed(built: dict[int, str | int], added: dict[int, str | int], wrong: str = "") -> bytes:
    """
    Return a header with an immutable region, as of a package that was built.

    :param added: what rpm adds when it installs the package.
    :param wrong: the digest that is wrong, ``sha1`` or ``sha256``.
    """
    plain = make_header(built)
    count, size = struct.unpack_from(">II", plain)
    index, data = plain[8 : 8 + 16 * count], plain[8 + 16 * count :]
    length = 16 * (count + 1)
    index = struct.pack(">IIII", 63, 7, size, 16) + index
    data += struct.pack(">IIiI", 63, 7, -length, 16)
    region = bytes.fromhex("8eade80100000000") + struct.pack(">II", count + 1, len(data)) + index + data
    digests = {tag: hashlib.new(name, region).hexdigest() for tag, name in ((269, "sha1"), (273, "sha256"))}
    if wrong:
        digests[{"sha1": 269, "sha256": 273}[wrong]] = hashlib.new(wrong, b"").hexdigest()
    more = make_header({**added, **digests})
    number, _ = struct.unpack_from(">II", more)
    data += b"\0" * (-len(data) % 4)
    for tag, kind, offset, values in struct.iter_unpack(">IIII", more[8 : 8 + 16 * number]):
        index += struct.pack(">IIII", tag, kind, offset + len(data), values)
    data += more[8 + 16 * number :]
    return struct.pack(">II", count + 1 + number, len(data)) + index + data


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
        """A header with bytes behind it is refused, as rpm refuses it."""
        self.assertRaises(MalformedHeader, read_header, make_header(BASH) + b"more")

    def test_what_is_left(self) -> None:
        """The tags that can be read of a damaged header are in the error."""
        whole = make_header({**BASH, **SOURCE})
        for blob in (whole[:-1], whole + b"x"):
            error = self.assertRaises(MalformedHeader, read_header, blob)
            self.assertEqual(error.tags[header.NAME], "bash")
        self.assertEqual(self.assertRaises(MalformedHeader, read_header, whole[:6]).tags, {})

    def test_digests(self) -> None:
        """A header whose bytes are not those of its digests is refused; the digests do not cover what rpm adds."""
        whole = make_signed({**BASH, **SOURCE}, {header.EPOCH: 3})
        self.assertEqual(read_header(whole), {**BASH, **SOURCE, header.EPOCH: "3"})
        start, end = whole.index(b"bash"), whole.index(b"bash-5.1.8-6.el9.src.rpm\0")
        for place in range(start, end):
            flipped = bytearray(whole)
            flipped[place] ^= 1
            self.assertRaises(MalformedHeader, read_header, bytes(flipped))
        for name in ("SHA256", "SHA1"):
            blob = make_signed(BASH, {}, wrong=name.lower())
            self.assertIn(f"its {name} digest is wrong", str(self.assertRaises(MalformedHeader, read_header, blob)))

    def test_region(self) -> None:
        """A header with digests whose immutable region cannot be found is refused."""
        whole = make_signed(BASH, {})
        trailer = struct.pack(">IIiI", 63, 7, -16 * 5, 16)
        for old, new in (
            (struct.pack(">II", 63, 7), struct.pack(">II", 64, 7)),
            (struct.pack(">II", 63, 7), struct.pack(">II", 63, 6)),
            (trailer, struct.pack(">IIiI", 63, 7, 16 * 5, 16)),
            (trailer, struct.pack(">IIiI", 63, 7, -16 * 500, 16)),
            (trailer, struct.pack(">IIiI", 63, 7, 0, 16)),
        ):
            self.assertEqual(whole.count(old), 1 + (old != trailer))
            blob = whole.replace(old, new, 1)
            self.assertIn("region", str(self.assertRaises(MalformedHeader, read_header, blob)))

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
