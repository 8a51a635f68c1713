"""Tests for :mod:`patches.reporter.unpacked`."""

from __future__ import annotations

import gzip
import io
from tempfile import SpooledTemporaryFile

from twisted.trial.unittest import SynchronousTestCase

from patches.reporter.fields import MalformedReport
from patches.reporter.unpacked import UnpackedBody


class UnpackedBodyTests(SynchronousTestCase):
    """Compressed bodies."""

    def test_again(self) -> None:
        """The content is read to its end, and again."""
        file = UnpackedBody(io.BytesIO(gzip.compress(b"abc" * 1000)), 3000)
        for _ in range(2):
            file.seek(0)
            self.assertEqual(b"".join(iter(lambda: file.read(100), b"")), b"abc" * 1000)
        file.close()

    def test_small(self) -> None:
        """A small body is in a file that is in memory, and can be written as well as read."""
        with SpooledTemporaryFile(1000) as packed:
            packed.write(gzip.compress(b"abc"))
            file = UnpackedBody(packed, 3000)  # type: ignore[arg-type]
            file.seek(0)
            self.assertEqual(file.read(100), b"abc")

    def test_limit(self) -> None:
        """A longer content is refused at the first bytes beyond the limit."""
        file = UnpackedBody(io.BytesIO(gzip.compress(b"x" * 10_000_000)), 3000)
        file.seek(0)
        self.assertEqual(file.read(3000), b"x" * 3000)
        self.assertRaises(MalformedReport, file.read, 1)

    def test_damaged(self) -> None:
        """Whatever is not gzip is refused, wherever it is damaged."""
        whole = gzip.compress(bytes(range(256)) * 10)
        damaged = bytearray(whole)
        damaged[20] ^= 255
        for content in (b"x", b"\x1f\x8b", whole[:-1], whole[:30], bytes(damaged), whole + b"x" * 10):
            file = UnpackedBody(io.BytesIO(content), 10_000)
            file.seek(0)
            with self.assertRaisesRegex(MalformedReport, "not gzip"):
                while file.read(100):
                    pass
