"""Tests for :mod:`patches.sources.archive.json_stream`."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from patches.errors import SourceError
from patches.sources.archive.json_stream import BoundedJson


class BoundedJsonTests(SynchronousTestCase):
    """Documents that are read through the ceilings."""

    def read(self, content: bytes, size: int = 64, **ceilings: int) -> bytes:
        """Read a document in blocks."""
        stream = BoundedJson(io.BytesIO(content), **ceilings)
        return b"".join(iter(lambda: stream.read(size), b""))

    def test_long_string(self) -> None:
        """A string that is too long is refused in words, also if it is full of escaped quotation marks."""
        for inside in (b"x", b'\\"', b"\\\\", b'\\\\\\"'):
            with self.assertRaisesRegex(SourceError, "^a string, or what is between two, is longer than 500 bytes$"):
                self.read(b'["' + inside * 1000 + b'"]', longest_string=500)

    def test_escape_between_blocks(self) -> None:
        """A quotation mark whose backslash is in the block before does not end a string."""
        inside = (b"x" * 63 + b"\\" + b'"' + b"x" * 62 + b"\\") + (b'"' + b"x" * 62 + b"\\") * 20
        with self.assertRaises(SourceError):
            self.read(inside, longest_string=500)

    @given(st.lists(st.binary(max_size=40).map(lambda text: b'"' + text.hex().encode() + b'",')), st.integers(1, 99))
    def test_short_strings(self, strings: list[bytes], size: int) -> None:
        """Short strings pass, however many there are, and nothing is lost."""
        content = b"".join(strings)
        self.assertEqual(self.read(content, size, longest_string=200), content)

    def test_large_record(self) -> None:
        """A record that is too large is refused in words; the next one begins at zero."""
        stream = BoundedJson(io.BytesIO(b'"x",' * 100), largest_record=250)
        stream.read(240)
        stream.begin()
        stream.read(150)
        with self.assertRaisesRegex(SourceError, "^one record of it is longer than 250 bytes$"):
            BoundedJson(io.BytesIO(b'"x",' * 100), largest_record=250).read(251)
