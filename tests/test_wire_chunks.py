"""Tests for :func:`patches.wire.unpack_chunk`: the gzip of a chunk is decompressed whole, or refused."""

from __future__ import annotations

import gzip
import random
import zlib

from twisted.trial.unittest import SynchronousTestCase

from patches.wire import MAX_CHUNK_BYTES, MalformedWire, unpack_chunk


class UnpackTests(SynchronousTestCase):
    """Decompression of one chunk."""

    def refusal(self, encoded: bytes) -> str:
        """Return the error with which bytes are refused."""
        return str(self.assertRaises(MalformedWire, unpack_chunk, encoded))

    def test_whole(self) -> None:
        """A body up to the limit is returned, whatever distances its encoder used."""
        far = random.Random(1).randbytes(20_000) * 2  # repeats itself further back than half of the largest window
        for body in (b"", b"{}\n", far, b"x" * MAX_CHUNK_BYTES):
            self.assertEqual(unpack_chunk(gzip.compress(body)), body)

    def test_too_long(self) -> None:
        """A body beyond the limit is refused, by one byte and as a bomb."""
        for size in (MAX_CHUNK_BYTES + 1, 100 * MAX_CHUNK_BYTES):
            self.assertEqual(self.refusal(gzip.compress(bytes(size))), f"longer than {MAX_CHUNK_BYTES} bytes")

    def test_not_gzip(self) -> None:
        """Bytes that are not gzip are refused with the reason; so is the zlib format."""
        for encoded in (b"not gzip at all", zlib.compress(b"{}\n"), gzip.compress(b"{}\n")[:-5] + b"abcde"):
            self.assertRegex(self.refusal(encoded), r"\Anot gzip: Error -3 ")

    def test_not_whole(self) -> None:
        """A gzip that is cut short, or followed by something, is refused."""
        encoded = gzip.compress(b"{}\n")
        for bad in (b"", encoded[:-1], encoded[:10], encoded + b"\0", encoded + encoded):
            self.assertEqual(self.refusal(bad), "not one whole gzip")
