"""Tests for :mod:`patches.sources.updateinfo.repomd`."""

from __future__ import annotations

import io

from twisted.trial.unittest import SynchronousTestCase

from patches.errors import SourceError
from patches.sources.updateinfo.repomd import Location, parse_repomd

HREF = "repodata/abc-updateinfo.xml.gz"


def repomd(*sums: tuple[str, str, str], href: str = HREF) -> bytes:
    """Return a ``repomd.xml`` as createrepo writes it: of several files, with checksums of this one."""
    told = "".join(f'<{element} type="{kind}">{digest}</{element}>' for element, kind, digest in sums)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<repomd xmlns="http://linux.duke.edu/metadata/repo" '
        'xmlns:rpm="http://linux.duke.edu/metadata/rpm"><revision>1</revision>'
        '<data type="primary"><checksum type="sha256">00</checksum><location href="repodata/primary.xml.gz"/></data>'
        f'<data type="updateinfo">{told}<location href="{href}"/><size>1</size></data>'
        '<data type="updateinfo_zck"><location href="repodata/updateinfo.xml.zck"/></data></repomd>'
    ).encode()


class RepomdTests(SynchronousTestCase):
    """Documents that the tests create."""

    def parse(self, content: bytes) -> Location:
        """Parse a document."""
        return parse_repomd(io.BytesIO(content))

    def test_strongest(self) -> None:
        """A strong checksum is used where there is one, of either form of the file; else a weak one."""
        sha256, sha1, md5 = "a" * 64, "b" * 40, "c" * 32
        for sums, expected in (
            ([("checksum", "sha256", sha256)], Location(HREF, "sha256", sha256)),
            ([("checksum", "sha512", "d" * 128)], Location(HREF, "sha512", "d" * 128)),
            ([("checksum", "sha", sha1), ("open-checksum", "sha256", sha256)], Location(HREF, "sha256", sha256, True)),
            ([("checksum", "sha", sha1), ("open-checksum", "sha", sha1)], Location(HREF, "sha1", sha1)),
            ([("checksum", "md5", md5)], Location(HREF, "md5", md5)),
        ):
            self.assertEqual(self.parse(repomd(*sums)), expected)

    def test_refused(self) -> None:
        """Without a checksum, or outside of the repository, nothing is fetched."""
        strong = [("checksum", "sha256", "a" * 64)]
        outside = ("", "/etc/passwd", "../x", "a/../../x", "file:///etc/passwd", "https://evil.test/x", "a?b")
        for sums, href in (
            ([], HREF),
            ([("checksum", "crc32", "a" * 64)], HREF),
            ([("checksum", "sha256", "?")], HREF),
            *((strong, href) for href in outside),
        ):
            with self.assertRaises(SourceError):
                self.parse(repomd(*sums, href=href))
        with self.assertRaisesRegex(SourceError, "no updateinfo"):
            self.parse(b"<repomd/>")
        with self.assertRaisesRegex(SourceError, "document type"):
            self.parse(b"<!DOCTYPE repomd><repomd/>")

    def test_other_kinds(self) -> None:
        """Another file of the repository is found by its type; the message of a missing one contains it."""
        with self.assertRaisesRegex(SourceError, r"^repodata/primary.xml.gz has no checksum of a known kind$"):
            parse_repomd(io.BytesIO(repomd()), "primary")
        with self.assertRaisesRegex(SourceError, r"^the repository has no filelists$"):
            parse_repomd(io.BytesIO(repomd(("checksum", "sha256", "a" * 64))), "filelists")
