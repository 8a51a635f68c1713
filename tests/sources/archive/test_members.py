"""Tests for :mod:`patches.sources.archive.members`: all formats yield the same members, and no archive can do harm."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.errors import SourceError
from patches.sources.archive.decompress import UnpackLimits
from patches.sources.archive.members import members
from tests.sources.archive.test_decompress import COMPRESSIONS

CONTENT = {"osv/cve/A:1.json": b'{"id": "A:1"}', "osv/B.json": b"[]" * 40_000, "osv/README": b"not wanted"}
WANTED = {name: content for name, content in CONTENT.items() if name.endswith(".json")}


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
    """Archives that the tests create."""

    def file(self, content: bytes) -> Path:
        """Write a file with a name that does not show its format."""
        path = Path(self.mktemp())
        path.write_bytes(content)
        return path

    def refused(self, content: bytes, limits: UnpackLimits | None = None) -> str:
        """Read an archive that must be refused. Return the reason."""
        path = self.file(content)
        with self.assertRaises(SourceError) as caught:
            list(members(path, limits))
        self.assertNotIn("\n", str(caught.exception))
        return str(caught.exception).removeprefix(f"{path}: ")

    def test_zip(self) -> None:
        """A zip file yields the members with the wanted suffix."""
        self.assertEqual(dict(members(self.file(zipped(CONTENT)))), WANTED)
        self.assertEqual(dict(members(self.file(zipped(CONTENT)), suffix="")), CONTENT)

    def test_tar(self) -> None:
        """So does a tar file, however it is compressed; folders and links are skipped."""
        for name, compress in COMPRESSIONS.items():
            self.assertEqual(dict(members(self.file(compress(tar(CONTENT))))), WANTED, name)

    def test_folder(self) -> None:
        """So does a folder, in the order of names; links in it are skipped."""
        folder = Path(self.mktemp())
        for name, content in CONTENT.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        (folder / "osv/link.json").symlink_to("B.json")
        self.assertEqual(list(members(folder)), [(name, WANTED[name]) for name in ("osv/B.json", "osv/cve/A:1.json")])

    def test_cut_short(self) -> None:
        """An archive that is cut off anywhere is never read as a complete one."""
        for name, compress in COMPRESSIONS.items():
            whole = compress(tar(CONTENT))
            end = len(whole.rstrip(b"\x00")) if name == "plain" else len(whole)
            for length in range(0, end, max(1, end // 50)):
                self.assertTrue(self.refused(whole[:length]), (name, length))
        self.assertIn("damaged", self.refused(zipped(CONTENT)[:-30]))

    def test_damaged(self) -> None:
        """A changed byte is detected in the header of a member, and everywhere if there is a checksum."""
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
        """A file that is not an archive, an empty one, and a missing one are refused."""
        for content in (b"", b'{"id": 1}' * 100, gzip.compress(b"{}" * 999)):
            self.assertIn("not an archive", self.refused(content))
        with self.assertRaisesRegex(SourceError, "No such file"):
            members(Path("absent"))

    def test_limits(self) -> None:
        """A member that is too large, too many members, and too many bytes in total are refused."""
        for make in (zipped, tar):
            content = {f"{number}.json": bytes(3000) for number in range(100)}
            self.assertIn("more than 99 members", self.refused(make(content), UnpackLimits(members=99)))
            self.assertIn("a member of more than 2999", self.refused(make(content), UnpackLimits(member_bytes=2999)))
            self.assertIn("more than 90000 bytes", self.refused(make(content), UnpackLimits(total_bytes=90_000)))

    def test_bomb(self) -> None:
        """An archive that expands to far more than its size is refused before it is decompressed, in any format."""
        limits = UnpackLimits(ratio=100, ratio_from=1024 * 1024)
        bomb = {f"{number}.json": bytes(100_000) for number in range(100)}
        self.assertIn("more than 100 times", self.refused(zipped(bomb), limits))
        for name in ("gz", "bz2", "xz", "zst"):
            self.assertIn("more than 100 times", self.refused(COMPRESSIONS[name](tar(bomb)), limits), name)

    def test_long_header(self) -> None:
        """A header that announces a name of gigabytes is refused, not read."""
        info = tarfile.TarInfo("././@LongLink")
        info.type, info.size = tarfile.GNUTYPE_LONGNAME, 4 * 1024**3
        packed = COMPRESSIONS["zst"](info.tobuf() + bytes(80 * 1024 * 1024))
        self.assertIn("a member of more than", self.refused(packed, UnpackLimits(ratio=10**6)))
