"""Tests for :mod:`patches.sources.archive.zip`: what ``zipfile`` writes is read as ``zipfile`` reads it."""

from __future__ import annotations

import io
import tracemalloc
import zipfile

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from patches.sources.archive.zip import BadZip, read_member, zip_members

CONTENTS = st.dictionaries(st.text("abc/ä.", min_size=1, max_size=8), st.binary(max_size=300), max_size=6)


def zipped(
    contents: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED, comment: bytes = b"", wide: bool = False
) -> bytes:
    """Write a zip file."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in contents.items():
            with archive.open(name, "w", force_zip64=wide) as member:
                member.write(content)
        archive.comment = comment
    return file.getvalue()


def read(archive: bytes) -> dict[str, bytes]:
    """Read all of it."""
    file = io.BytesIO(archive)
    return {member.name: b"".join(read_member(file, member)) for member in zip_members(file)}


class ZipTests(SynchronousTestCase):
    """Zip files, whole and damaged."""

    @given(CONTENTS, st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]), st.binary(max_size=30), st.booleans())
    @settings(deadline=None, max_examples=60)
    def test_law(self, contents: dict[str, bytes], method: int, comment: bytes, wide: bool) -> None:
        """Whatever is in it comes out, whatever the method, the comment and the width of its fields."""
        if b"PK\5\6" not in comment:
            self.assertEqual(read(zipped(contents, method, comment, wide)), contents)

    def test_many(self) -> None:
        """More members than 16 bits can count are told by the wide directory; memory does not grow with them."""
        archive = zipped({f"{number}.json": b"{}" for number in range(70_000)}, zipfile.ZIP_STORED)
        file = io.BytesIO(archive)
        tracemalloc.start()
        count = sum(1 for _ in zip_members(file))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        self.assertEqual(count, 70_000)
        self.assertLess(peak, 400_000)

    def test_damage(self) -> None:
        """A byte that is changed, or an end that is missing, is an error, or changes nothing that is read."""
        whole = zipped({"a.json": b"[1, 2, 3]" * 50, "b.json": b"{}"})
        for position in range(len(whole)):
            for damaged in (
                whole[:position],
                whole[:position] + bytes([whole[position] ^ 0x55]) + whole[position + 1 :],
            ):
                try:
                    found = read(damaged)
                except BadZip:
                    continue
                self.assertLessEqual(set(found.values()), {b"[1, 2, 3]" * 50, b"{}"}, position)

    def test_encrypted(self) -> None:
        """What is encrypted, or packed in another way, is refused."""
        archive = bytearray(zipped({"a": b"xyz"}))
        for offset, value in ((8, 1), (10, 12)):
            changed = bytearray(archive)
            changed[archive.index(b"PK\1\2") + offset] = value
            self.assertRaises(BadZip, read, bytes(changed))
        self.assertRaises(BadZip, read, b"no zip file")
