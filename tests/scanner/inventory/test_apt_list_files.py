"""Tests for :mod:`patches.scanner.inventory.apt_list_files`."""

from __future__ import annotations

import bz2
import gzip
import lzma
import random
import tracemalloc
from collections.abc import Callable
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.inventory.apt_list_files import LONGEST_LINE, OTHER_FORMS, Lists

FORMS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
}
CONTENT = b"".join(b"Package: p%d\nVersion: %d\n\n" % (number, number * 7919) for number in range(20_000))


class ListsTests(SynchronousTestCase):
    """Lists that the tests create."""

    def setUp(self) -> None:
        self.root = Path(self.mktemp())
        (self.root / "lists").mkdir(parents=True)

    def lines(self, name: str, content: bytes, most_bytes: int = 1 << 30) -> list[bytes]:
        """Write a list, and read it."""
        (self.root / "lists" / name).write_bytes(content)
        return list(Lists(self.root, "lists", most_bytes).lines(name))

    def test_forms(self) -> None:
        """A list is the same in each form."""
        for form, packed in FORMS.items():
            self.assertEqual(b"".join(self.lines("x_Packages" + form, packed(CONTENT))), CONTENT, form)

    def test_other_forms(self) -> None:
        """A list in a form that cannot be unpacked is skipped; so is one that is absent."""
        for form in OTHER_FORMS:
            self.assertEqual(self.lines("x_Packages" + form, CONTENT), [])
        self.assertEqual(list(Lists(self.root, "lists").lines("absent")), [])

    def test_damaged(self) -> None:
        """Of a list that is damaged or truncated anywhere the part before that is read, and nothing is raised."""
        chance = random.Random(5)
        for form, packed in FORMS.items():
            whole = packed(CONTENT)
            for _ in range(20):
                place = chance.randrange(len(whole))
                flipped = bytearray(whole)
                flipped[place] ^= 1 << chance.randrange(8)
                self.lines("x_Packages" + form, bytes(flipped))
                self.assertLessEqual(len(self.lines("x_Packages" + form, whole[:place])), 60_000)
            self.assertEqual(bool(self.lines("x_Packages" + form, b"noise" * 1000)), form == "")

    def test_limits(self) -> None:
        """Lines are read in pieces, and the lists of a host up to a limit that they share."""
        for form, packed in FORMS.items():
            long = self.lines("x_Packages" + form, packed(b"x" * (2 * LONGEST_LINE + 1)))
            self.assertEqual([len(piece) for piece in long], [LONGEST_LINE, LONGEST_LINE, 1])
        lists = Lists(self.root, "lists", 1000)
        (self.root / "lists/a").write_bytes(CONTENT)
        self.assertLess(sum(map(len, lists.lines("a"))), 1100)
        self.assertEqual(list(lists.lines("a")), [])

    def test_bombs(self) -> None:
        """A small file that unpacks to very much does not fill the memory."""
        for form, packed in FORMS.items():
            if form:
                content = packed(bytes(50_000_000))
                tracemalloc.start()
                self.assertEqual(sum(map(len, self.lines("x" + form, content, 10_000_000))), 10_027_008, form)
                self.assertLess(tracemalloc.get_traced_memory()[1], 22_000_000)
                tracemalloc.stop()

    def test_xz_memory(self) -> None:
        """An xz file that needs very much memory is skipped."""
        filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 512 * 1024 * 1024}]
        self.assertEqual(self.lines("x.xz", lzma.compress(b"a\n", filters=filters)), [])
