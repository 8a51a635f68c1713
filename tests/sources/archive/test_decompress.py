"""Tests for :mod:`patches.sources.archive.decompress`."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable
from pathlib import Path

import zstandard
from twisted.trial.unittest import SynchronousTestCase

from patches.errors import SourceError
from patches.sources.archive.decompress import Meter, UnpackLimits, decompression_errors, open_feed, open_metered

COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstandard.ZstdCompressor().compress,
}


class MeterTests(SynchronousTestCase):
    """Counts of decompressed bytes."""

    def refused(self, meter: Meter, count: int) -> str:
        """Count bytes that exceed a limit. Return the reason."""
        with self.assertRaises(SourceError) as caught:
            meter.add(count)
        return str(caught.exception)

    def test_total(self) -> None:
        """A limit may be reached, but not exceeded."""
        meter = Meter(Path("feed"), UnpackLimits(total_bytes=100))
        meter.add(99)
        meter.add(1)
        self.assertEqual(self.refused(meter, 1), "feed: unpacks to more than 100 bytes")

    def test_members(self) -> None:
        """The bytes of each member are counted separately, those of all members together, and the members."""
        meter = Meter(Path("feed"), UnpackLimits(members=2, member_bytes=10), largest=10)
        for _ in range(2):
            meter.begin()
            meter.add(10)
        self.assertEqual((meter.members, meter.member, meter.total), (2, 10, 20))
        self.assertEqual(self.refused(meter, 1), "feed: a member of more than 10 bytes")
        with self.assertRaisesRegex(SourceError, "^feed: more than 2 members$"):
            meter.begin()

    def test_ratio(self) -> None:
        """The ratio is checked for larger files only, and only if the compressed size is known."""
        limits = UnpackLimits(ratio=10, ratio_from=1000)
        meter = Meter(Path("feed"), limits, packed=5)
        meter.add(1000)
        self.assertEqual(self.refused(meter, 1), "feed: unpacks to more than 10 times its size")
        large = Meter(Path("feed"), limits, packed=200)
        large.add(2000)
        self.refused(large, 1)
        Meter(Path("feed"), limits).add(10**9)


class FeedTests(SynchronousTestCase):
    """Feeds of one file."""

    def opened(self, content: bytes, limits: UnpackLimits | None = None) -> bytes:
        """Read a feed."""
        path = Path(self.mktemp())
        path.write_bytes(content)
        with open_feed(path, limits) as feed:
            return feed.read()

    def test_compressions(self) -> None:
        """The first bytes determine the decompression; consecutive frames are concatenated."""
        for name, compress in COMPRESSIONS.items():
            content = b"a line\n" * 30_000
            self.assertEqual(self.opened(compress(content)), content, name)
            self.assertEqual(self.opened(compress(content) + compress(content)), content * 2, name)

    def test_cut_short(self) -> None:
        """A compressed feed that is cut off is an error, not a short feed."""
        for name in ("gz", "bz2", "xz", "zst"):
            packed = COMPRESSIONS[name](b"a line\n" * 30_000)
            for length in (8, len(packed) // 2, len(packed) - 1):
                with self.assertRaisesRegex(SourceError, "it ends in the middle"):
                    self.opened(packed[:length])

    def test_limits(self) -> None:
        """A feed is refused where it exceeds its limits."""
        with self.assertRaisesRegex(SourceError, "more than 1000 bytes"):
            self.opened(bytes(1001), UnpackLimits(total_bytes=1000))
        with self.assertRaisesRegex(SourceError, "times its size"):
            self.opened(gzip.compress(bytes(10**6)), UnpackLimits(ratio=10, ratio_from=1000))
        with self.assertRaisesRegex(SourceError, "absent"):
            open_feed(Path("absent"))

    def test_plain(self) -> None:
        """A file without a known beginning is read as it is, an empty one too."""
        for content in (b"", b"B", b"BZ", b"\x1f", b"PK\x03\x04", b"{}"):
            self.assertEqual(self.opened(content), content)

    def test_padding(self) -> None:
        """Zeros after the last frame are padding, but other bytes are damage."""
        for name in ("gz", "bz2", "xz", "zst"):
            packed = COMPRESSIONS[name](b"a line\n")
            self.assertEqual(self.opened(packed + bytes(5000)), b"a line\n", name)
            with self.assertRaisesRegex(SourceError, "damaged|ends in the middle|[Ii]nvalid"):
                self.opened(packed + b"garbage")

    def test_metered(self) -> None:
        """The given meter counts the decompressed bytes, as they are read."""
        path = Path(self.mktemp())
        path.write_bytes(gzip.compress(b"x" * 200_000))
        meter = Meter(path, UnpackLimits())
        with open_metered(path, meter) as feed:
            feed.read(1)
            self.assertTrue(0 < meter.total < 200_000, meter.total)
            feed.read()
        self.assertEqual(meter.total, 200_000)

    def test_morsels(self) -> None:
        """A file that expands a thousandfold is decompressed a little at a time."""
        path = Path(self.mktemp())
        path.write_bytes(COMPRESSIONS["zst"](bytes(200 * 1024 * 1024)))
        meter = Meter(path, UnpackLimits())
        with open_metered(path, meter) as feed:
            self.assertEqual(feed.read(10), bytes(10))
        self.assertLess(meter.total, 1024 * 1024)

    def test_large_window(self) -> None:
        """A file whose decompression would need gigabytes of memory is refused."""
        parameters = zstandard.ZstdCompressionParameters(window_log=30, enable_ldm=False)
        path = Path(self.mktemp())
        compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
        path.write_bytes(compressor.compress(b"x") + compressor.flush())
        with open_feed(path) as feed, self.assertRaisesRegex(SourceError, "damaged"):
            feed.read()


class ErrorTests(SynchronousTestCase):
    """Errors of reading and decompressing."""

    def test_converted(self) -> None:
        """Errors of files and of compression are errors of the source, in one line with the path."""
        for error, text in (
            (FileNotFoundError(2, "No such file or directory"), "feed: No such file or directory"),
            (OSError("odd"), "feed: odd"),
            (EOFError("it ends in the middle"), "feed: damaged: it ends in the middle"),
            (zlib.error("bad"), "feed: damaged: bad"),
            (lzma.LZMAError("bad"), "feed: damaged: bad"),
            (zstandard.ZstdError("bad"), "feed: damaged: bad"),
        ):
            with self.assertRaises(SourceError) as caught, decompression_errors(Path("feed")):
                raise error
            self.assertEqual(str(caught.exception), text)

    def test_others(self) -> None:
        """Any other error is a bug, and is not converted."""
        with self.assertRaises(KeyError), decompression_errors(Path("feed")):
            raise KeyError("x")
