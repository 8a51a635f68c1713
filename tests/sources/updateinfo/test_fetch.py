"""Tests for :mod:`patches.sources.updateinfo.fetch`."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

from patches.sources.updateinfo.fetch import UpdateinfoFetch
from tests.sources.feed_case import FeedCase, run
from tests.sources.updateinfo.test_parser import document, package, update
from tests.sources.updateinfo.test_repomd import HREF, repomd

BASE = "https://repo.test/core/x86_64"


class RepositoryCase(FeedCase):
    """A repository that the test creates."""

    def setUp(self) -> None:
        super().setUp()
        self.used: list[Path] = []
        self.dropped: list[Path] = []
        self.fetch = UpdateinfoFetch(self.site, run, self.used.extend, self.dropped.extend)
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
        self.assertEqual([path.read_bytes()[:2] for path in self.dropped], [b"<?", b"\x1f\x8b"])

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
