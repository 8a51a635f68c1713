"""Tests for :mod:`patches.sources.fetch.cache`."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.sources.fetch.cache import FileCache, FileRecord, PartialFile
from patches.sources.fetch.checksums import Checksum

URL = "https://feeds.test/data/all.zip?x=1"
SUMS = (Checksum("sha256", "ab"),)


class EntryTests(SynchronousTestCase):
    """The files of one URL."""

    def setUp(self) -> None:
        self.files = FileCache(Path(self.mktemp()))
        self.entry = self.files.entry(URL)

    def begun(self, length: int | None = 4) -> PartialFile:
        """Return the record of a partial file."""
        return PartialFile(URL, '"one"', "yesterday", length, SUMS)

    def record(self, length: int = 4, url: str = URL) -> FileRecord:
        """Return the record of a file."""
        return FileRecord(url, '"one"', None, length, "00", 7.0)

    def names(self) -> list[str]:
        """Return the suffixes of the names in the folder."""
        return sorted(path.name[64:] for path in self.entry.folder.iterdir())

    def test_names(self) -> None:
        """A name ends like its URL, is never a path, never too long, and differs between URLs."""
        self.assertTrue(self.entry.path.name.endswith("-all.zip"))
        odd = ("https://x.test/..", "https://x.test/a/", "https://x.test/" + "a" * 300, "https://x.test/\udcff é")
        paths = [self.files.entry(url).path for url in odd]
        self.assertEqual({path.parent for path in paths}, {self.entry.folder})
        self.assertEqual(len({path.name[:64] for path in paths}), 4)
        self.assertLess(max(len(path.name) for path in paths), 130)

    def test_kept(self) -> None:
        """A partial file becomes the file, with its record; the record of the partial file is removed."""
        self.assertIsNone(self.entry.record())
        self.entry.begin(self.begun())
        self.entry.partial.write_bytes(b"abcd")
        self.assertEqual(self.names(), [".part", ".part.json"])
        self.entry.keep(self.record())
        self.assertEqual((self.entry.record(), self.entry.path.read_bytes()), (self.record(), b"abcd"))
        self.assertEqual(self.names(), ["-all.zip", ".json"])

    def test_not_the_file(self) -> None:
        """A file of another length, a record of another URL, and a damaged record are ignored."""
        self.entry.begin(None)
        self.entry.partial.write_bytes(b"abcd")
        self.entry.keep(self.record())
        for content in (b"abc", b"abcde", b""):
            self.entry.path.write_bytes(content)
            self.assertIsNone(self.entry.record())
        self.entry.path.write_bytes(b"abcd")
        self.assertIsNotNone(self.entry.record())
        [description] = self.entry.folder.glob("*.json")
        whole = description.read_text()
        for text in ("", "[]", "{}", whole.replace(": 1,", ": 2,", 1), whole.replace("feeds", "other"), whole[:-9]):
            description.write_text(text)
            self.assertIsNone(self.entry.record(), text)

    def test_begun(self) -> None:
        """A download can be resumed if a part of the file exists, and not all of it."""
        for content, length, expected in (
            (b"", 4, False),
            (b"abc", 4, True),
            (b"abcd", 4, False),
            (b"abcd", None, True),
        ):
            self.entry.begin(self.begun(length))
            self.entry.partial.write_bytes(content)
            self.assertEqual(self.entry.begun(), self.begun(length) if expected else None, (content, length))

    def test_begun_anew(self) -> None:
        """A new partial file that cannot be resumed does not use the record of the one before."""
        self.entry.begin(self.begun())
        self.entry.partial.write_bytes(b"abc")
        self.entry.begin(None)
        self.assertEqual(self.entry.partial.read_bytes(), b"")
        self.entry.partial.write_bytes(b"xyz")
        self.assertIsNone(self.entry.begun())

    def test_dropped(self) -> None:
        """A partial file is removed with its record; it may be missing already."""
        self.entry.begin(self.begun())
        self.entry.drop_part()
        self.assertEqual(self.names(), [])
        self.entry.drop_part()


class KeptFilesTests(SynchronousTestCase):
    """The folder."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.files = FileCache(self.folder)

    def have(self, url: str, time: float) -> Path:
        """Create the file of a URL, last used at some time."""
        entry = self.files.entry(url)
        entry.begin(None)
        entry.keep(FileRecord(url, None, None, 0, "00", 7.0))
        for path in self.folder.glob(f"{entry.path.name[:64]}*"):
            os.utime(path, (time, time))
        return entry.path

    def test_forget(self) -> None:
        """
        A file that was not used since a time is removed with its record; one used at that time, and foreign files,
        stay.
        """
        old, new = self.have("https://x.test/old", 99.0), self.have("https://x.test/new", 100.0)
        (self.folder / "README").write_text("not ours")
        os.utime(self.folder / "README", (0, 0))
        self.assertEqual(self.files.forget_unused(100.0), 2)
        self.assertEqual((old.exists(), new.exists(), (self.folder / "README").exists()), (False, True, True))
        self.assertEqual(FileCache(self.folder / "absent").forget_unused(1e12), 0)

    def test_used(self) -> None:
        """A used file stays; a missing or foreign file is not touched."""
        old = self.have("https://x.test/old", 1.0)
        other = Path(self.mktemp())
        other.write_text("x")
        os.utime(other, (1, 1))
        self.files.use([old, other, self.folder / "absent"])
        self.assertEqual((self.files.forget_unused(100.0), old.exists(), other.stat().st_mtime), (0, True, 1.0))

    def test_fetched(self) -> None:
        """A file that is being fetched stays, however old it is."""
        path = self.have("https://x.test/old", 1.0)
        lock = self.files.lock("https://x.test/old")
        self.assertIs(self.files.lock("https://x.test/old"), lock)
        self.successResultOf(lock.acquire())
        self.assertEqual((self.files.forget_unused(100.0), path.exists()), (0, True))
        lock.release()
        self.assertEqual((self.files.forget_unused(100.0), path.exists()), (2, False))
