"""Tests for :mod:`patches.sources.archive.zip`: files that ``zipfile`` writes are read like ``zipfile`` reads them."""

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
    """Read all members."""
    file = io.BytesIO(archive)
    return {member.name: b"".join(read_member(file, member)) for member in zip_members(file)}


class ZipTests(SynchronousTestCase):
    """Zip files, whole and damaged."""

    @given(CONTENTS, st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]), st.binary(max_size=30), st.booleans())
    @settings(deadline=None, max_examples=60)
    def test_law(self, contents: dict[str, bytes], method: int, comment: bytes, wide: bool) -> None:
        """All content is read, for any method, comment and width of fields."""
        if b"PK\5\6" not in comment:
            self.assertEqual(read(zipped(contents, method, comment, wide)), contents)

    def test_many(self) -> None:
        """More members than 16 bits can count are read from the Zip64 directory; memory does not grow with them."""
        archive = zipped({f"{number}.json": b"{}" for number in range(70_000)}, zipfile.ZIP_STORED)
        file = io.BytesIO(archive)
        tracemalloc.start()
        count = sum(1 for _ in zip_members(file))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        self.assertEqual(count, 70_000)
        self.assertLess(peak, 400_000)

    def test_damage(self) -> None:
        """A changed byte, or a missing end, is an error or has no effect on the content."""
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
        """Encrypted members, and other compression methods, are refused."""
        archive = bytearray(zipped({"a": b"xyz"}))
        for offset, value in ((8, 1), (10, 12)):
            changed = bytearray(archive)
            changed[archive.index(b"PK\1\2") + offset] = value
            self.assertRaises(BadZip, read, bytes(changed))
        self.assertRaises(BadZip, read, b"no zip file")
