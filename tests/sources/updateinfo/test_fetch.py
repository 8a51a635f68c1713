"""Tests for :mod:`patches.sources.updateinfo.fetch`."""

from __future__ import annotations

import gzip
import hashlib
import io
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.interfaces import SourceError
from patches.settings import BadSetting
from patches.sources.updateinfo.fetch import UpdateinfoFetch
from patches.sources.updateinfo.repomd import Location, parse_repomd
from tests.sources.feed_case import FeedCase, run
from tests.sources.updateinfo.test_parser import document, package, update

BASE = "https://repo.test/core/x86_64"
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


class RepositoryCase(FeedCase):
    """A repository that the test creates."""

    def setUp(self) -> None:
        super().setUp()
        self.used: list[Path] = []
        self.fetch = UpdateinfoFetch(self.site, run, self.used.extend)
        self.publish(document(update(package("curl"))))

    def publish(self, content: bytes, base: str = BASE, digest: str | None = None) -> None:
        """Publish advisories."""
        packed = gzip.compress(content)
        self.site.files[f"{base}/{HREF}"] = packed
        told = ("checksum", "sha256", digest or hashlib.sha256(packed).hexdigest())
        self.site.files[f"{base}/repodata/repomd.xml"] = repomd(told)


class FetchTests(RepositoryCase):
    """The files of a repository that are fetched."""

    def test_two_steps(self) -> None:
        """The repository names the file; an unchanged one costs a single request, a changed one two."""
        first = self.had(self.fetch(BASE))
        self.assertEqual(gzip.decompress(first.path.read_bytes()), document(update(package("curl"))))
        self.assertEqual(self.site.news(), [f"{BASE}/repodata/repomd.xml", f"{BASE}/{HREF}"])
        self.assertEqual(self.had(self.fetch(BASE)), first)
        self.assertEqual(self.site.news(), [f"{BASE}/repodata/repomd.xml"])
        self.assertEqual(self.used, [first.path])
        self.publish(document(update(package("zlib"))))
        self.assertNotEqual(self.had(self.fetch(BASE)).state, first.state)
        self.assertEqual(len(self.site.news()), 2)

    def test_gone(self) -> None:
        """A file that is missing is fetched again."""
        self.had(self.fetch(BASE)).path.unlink()
        self.assertTrue(self.had(self.fetch(BASE)).path.exists())

    def test_names(self) -> None:
        """A location may be a repository's base, or its ``repomd.xml``, or the file itself."""
        state = self.had(self.fetch(BASE)).state
        self.assertEqual(self.had(self.fetch(f"{BASE}/")).state, state)
        self.assertEqual(self.had(self.fetch(f"{BASE}/repodata/repomd.xml")).state, state)
        self.site.news()
        self.had(self.fetch(f"{BASE}/{HREF}"))
        self.assertEqual(self.site.news(), [f"{BASE}/{HREF}"])

    def test_mirrors(self) -> None:
        """Of a list of mirrors the first that has the file is used."""
        mirrors = "https://repo.test/mirror.list"
        self.site.files[mirrors] = f"# mirrors\nhttps://down.test/x\n\n{BASE}/\nhttps://never.test/\n".encode()
        self.had(self.fetch(mirrors))
        asked = [mirrors, "https://down.test/x/repodata/repomd.xml", f"{BASE}/repodata/repomd.xml", f"{BASE}/{HREF}"]
        self.assertEqual(self.site.news(), asked)
        self.had(self.fetch(mirrors))
        self.assertEqual(self.site.news(), asked[:3])
        self.site.files[mirrors] = b"https://down.test/x\nhttps://down.test/y\n"
        self.assertIn("down.test/y", self.refusal(self.fetch(mirrors)))
        self.site.files[mirrors] = b"<html></html>\nfile:///etc\n"
        self.assertEqual(self.refusal(self.fetch(mirrors)), f"{mirrors}: contains no mirror")

    def test_wrong_checksum(self) -> None:
        """A file with another checksum than the repository's is refused."""
        self.publish(document(), digest="0" * 64)
        self.assertIn("does not have the sha256 checksum", self.refusal(self.fetch(BASE)))

    def test_unpacked_checksum(self) -> None:
        """A checksum of the decompressed content is accepted too."""
        content = document(update(package("curl")))
        weak, strong = ("checksum", "sha", "0" * 40), hashlib.sha256(content).hexdigest()
        self.site.files[f"{BASE}/repodata/repomd.xml"] = repomd(weak, ("open-checksum", "sha256", strong))
        self.assertEqual(self.had(self.fetch(BASE)).state, f"sha256:{strong}")
        self.site.files[f"{BASE}/repodata/repomd.xml"] = repomd(weak, ("open-checksum", "sha256", "0" * 64))
        self.assertIn("does not have", self.refusal(self.fetch(BASE)))

    def test_no_repository(self) -> None:
        """A location that is not a repository is refused, and named in the message."""
        self.site.files[f"{BASE}/repodata/repomd.xml"] = b"<html></html>"
        self.assertEqual(self.refusal(self.fetch(BASE)), f"{BASE}/repodata/repomd.xml: its root is not <repomd>")
        self.assertIn("404", self.refusal(self.fetch("https://repo.test/other")))


class SourceTests(RepositoryCase):
    """A source of the kind ``updateinfo``."""

    def test_several_repositories(self) -> None:
        """An advisory in several repositories of a release is one vulnerability."""
        other = "https://repo.test/extras/aarch64"
        self.publish(document(update(package("curl", "aarch64")), update(package("zlib"), name="A-2")), other)
        source = self.source(kind="updateinfo", url=[BASE, other], platforms=["amazon-2023"])
        (offer,) = self.had(source.offers())
        self.assertEqual((offer.key, offer.platform), ("amazon-2023", "amazon-2023"))
        found = {each.name: each for each in self.read(source)}
        self.assertEqual(set(found), {"ALAS2023-2023-001", "A-2"})
        arches = {arch for each in found["ALAS2023-2023-001"].fixed_in for arch in each.arches or ()}
        self.assertEqual(arches, {"x86_64", "aarch64"})

    def test_one_missing(self) -> None:
        """A list without one of its repositories would be incomplete, so it fails."""
        source = self.source(kind="updateinfo", url=[BASE, "https://down.test"], platforms=["amazon-2023"])
        self.assertIn("404", self.refusal(source.offers()))

    def test_not_wanted(self) -> None:
        """Nothing is fetched for a platform that is not served."""
        source = self.source(frozenset({"debian-12"}), kind="updateinfo", url=BASE, platforms=["amazon-2023"])
        self.assertEqual((self.had(source.offers()), self.site.news()), ([], []))

    def test_configuration(self) -> None:
        """The configuration must contain exactly one platform."""
        for platforms in ({}, {"platforms": ["amazon-2", "amazon-2023"]}):
            with self.assertRaisesRegex(BadSetting, r'^\[source.made-up\]: needs exactly one platform in "platforms"$'):
                self.source(kind="updateinfo", url=BASE, **platforms)
