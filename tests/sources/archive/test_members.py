"""Archives of every kind give the same members, and none can do harm."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import zstandard
from twisted.trial.unittest import SynchronousTestCase

from patches.interfaces import SourceError
from patches.sources.archive.decompress import Limits, open_feed
from patches.sources.archive.members import members

CONTENT = {"osv/cve/A:1.json": b'{"id": "A:1"}', "osv/B.json": b"[]" * 40_000, "osv/README": b"not wanted"}
WANTED = {name: content for name, content in CONTENT.items() if name.endswith(".json")}
COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstandard.ZstdCompressor().compress,
}


def tar(content: dict[str, bytes]) -> bytes:
    """Make a tar file, with a folder and a link in it."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for kind, name in ((tarfile.DIRTYPE, "osv"), (tarfile.SYMTYPE, "osv/link.json")):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "B.json"
            archive.addfile(info)
        for name, data in content.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return made.getvalue()


def zipped(content: dict[str, bytes]) -> bytes:
    """Make a zip file."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return made.getvalue()


class ArchiveTests(SynchronousTestCase):
    """Files made here."""

    def file(self, content: bytes) -> Path:
        """Write a file, whose name says nothing."""
        path = Path(self.mktemp())
        path.write_bytes(content)
        return path

    def refused(self, content: bytes, limits: Limits | None = None) -> str:
        """Read an archive that must be refused; give the reason."""
        path = self.file(content)
        with self.assertRaises(SourceError) as caught:
            list(members(path, limits))
        self.assertNotIn("\n", str(caught.exception))
        return str(caught.exception).removeprefix(f"{path}: ")

    def test_zip(self) -> None:
        """A zip file gives the members whose names end as wanted."""
        self.assertEqual(dict(members(self.file(zipped(CONTENT)))), WANTED)
        self.assertEqual(dict(members(self.file(zipped(CONTENT)), suffix="")), CONTENT)

    def test_tar(self) -> None:
        """A tar file does, however it is compressed; folders and links are passed over."""
        for name, compress in COMPRESSIONS.items():
            self.assertEqual(dict(members(self.file(compress(tar(CONTENT))))), WANTED, name)

    def test_folder(self) -> None:
        """A folder does, in the order of names; links in it are passed over."""
        folder = Path(self.mktemp())
        for name, content in CONTENT.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        (folder / "osv/link.json").symlink_to("B.json")
        self.assertEqual(list(members(folder)), [(name, WANTED[name]) for name in ("osv/B.json", "osv/cve/A:1.json")])

    def test_cut_short(self) -> None:
        """An archive that was cut short, anywhere, is never read as a whole one."""
        for name, compress in COMPRESSIONS.items():
            whole = compress(tar(CONTENT))
            end = len(whole.rstrip(b"\x00")) if name == "plain" else len(whole)
            for length in range(0, end, max(1, end // 50)):
                self.assertTrue(self.refused(whole[:length]), (name, length))
        self.assertIn("damaged", self.refused(zipped(CONTENT)[:-30]))

    def test_damaged(self) -> None:
        """A byte that has changed is noticed in the header of a member, and wherever there is a checksum."""
        whole = bytearray(tar(CONTENT))
        second = whole.index(b"osv/B.json\x00", 2000)
        whole[second] ^= 1
        self.assertIn("bad checksum", self.refused(bytes(whole)))
        packed = bytearray(gzip.compress(tar(CONTENT)))
        packed[-8] ^= 1
        self.assertIn("damaged", self.refused(bytes(packed)))
        packed = bytearray(zipped(CONTENT))
        packed[packed.index(b"A:1.json") + 12] ^= 1
        self.assertIn("damaged", self.refused(bytes(packed)))

    def test_not_an_archive(self) -> None:
        """A file that is no archive, an empty one, and none at all are refused."""
        for content in (b"", b'{"id": 1}' * 100, gzip.compress(b"{}" * 999)):
            self.assertIn("not an archive", self.refused(content))
        with self.assertRaisesRegex(SourceError, "No such file"):
            members(Path("absent"))

    def test_limits(self) -> None:
        """A member that is too large, too many members, and too much of everything are refused."""
        for make in (zipped, tar):
            content = {f"{number}.json": bytes(3000) for number in range(100)}
            self.assertIn("more than 99 members", self.refused(make(content), Limits(members=99)))
            self.assertIn("a member of more than 2999", self.refused(make(content), Limits(member_bytes=2999)))
            self.assertIn("more than 90000 bytes", self.refused(make(content), Limits(total_bytes=90_000)))

    def test_bomb(self) -> None:
        """What unpacks to far more than its size is refused before it is unpacked, whatever its compression."""
        limits = Limits(ratio=100, ratio_from=1024 * 1024)
        bomb = {f"{number}.json": bytes(100_000) for number in range(100)}
        self.assertIn("more than 100 times", self.refused(zipped(bomb), limits))
        for name in ("gz", "bz2", "xz", "zst"):
            self.assertIn("more than 100 times", self.refused(COMPRESSIONS[name](tar(bomb)), limits), name)

    def test_long_header(self) -> None:
        """A header that promises gigabytes of a name is refused, not read."""
        info = tarfile.TarInfo("././@LongLink")
        info.type, info.size = tarfile.GNUTYPE_LONGNAME, 4 * 1024**3
        packed = COMPRESSIONS["zst"](info.tobuf() + bytes(80 * 1024 * 1024))
        self.assertIn("a member of more than", self.refused(packed, Limits(ratio=10**6)))


class FeedTests(SynchronousTestCase):
    """Feeds of one file."""

    def opened(self, content: bytes, limits: Limits | None = None) -> bytes:
        """Read a feed."""
        path = Path(self.mktemp())
        path.write_bytes(content)
        with open_feed(path, limits) as feed:
            return feed.read()

    def test_compressions(self) -> None:
        """A feed is unpacked as its first bytes say, and frame after frame."""
        for name, compress in COMPRESSIONS.items():
            content = b"a line\n" * 30_000
            self.assertEqual(self.opened(compress(content)), content, name)
            self.assertEqual(self.opened(compress(content) + compress(content)), content * 2, name)

    def test_cut_short(self) -> None:
        """A compressed feed that was cut short is an error, not a short feed."""
        for name in ("gz", "bz2", "xz", "zst"):
            packed = COMPRESSIONS[name](b"a line\n" * 30_000)
            for length in (8, len(packed) // 2, len(packed) - 1):
                with self.assertRaisesRegex(SourceError, "it ends in the middle"):
                    self.opened(packed[:length])

    def test_limits(self) -> None:
        """A feed is refused where it exceeds its limits."""
        with self.assertRaisesRegex(SourceError, "more than 1000 bytes"):
            self.opened(bytes(1001), Limits(total_bytes=1000))
        with self.assertRaisesRegex(SourceError, "times its size"):
            self.opened(gzip.compress(bytes(10**6)), Limits(ratio=10, ratio_from=1000))
        with self.assertRaisesRegex(SourceError, "absent"):
            open_feed(Path("absent"))
