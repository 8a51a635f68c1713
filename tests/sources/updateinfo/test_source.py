"""Tests for :mod:`patches.sources.updateinfo.source`."""

from __future__ import annotations

import gzip
import hashlib

from patches.settings import BadSetting
from tests.sources.feed_case import LocalCase
from tests.sources.updateinfo.test_fetch import BASE, RepositoryCase
from tests.sources.updateinfo.test_parser import document, package, update
from tests.sources.updateinfo.test_repomd import repomd


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
        """No file is fetched for a platform that is not served."""
        source = self.source(frozenset({"debian-12"}), kind="updateinfo", url=BASE, platforms=["amazon-2023"])
        self.assertEqual((self.had(source.offers()), self.site.news()), ([], []))

    def test_configuration(self) -> None:
        """The configuration must contain exactly one platform."""
        for platforms in ({}, {"platforms": ["amazon-2", "amazon-2023"]}):
            with self.assertRaisesRegex(BadSetting, r'^\[source.made-up\]: needs exactly one platform in "platforms"$'):
                self.source(kind="updateinfo", url=BASE, **platforms)


class LocalTests(LocalCase):
    """Copies of repositories in a folder."""

    def test_updateinfo(self) -> None:
        """A copy of a repository is read by its folder, and by the path of its advisories."""
        content = document(update(package("curl")))
        self.write("repodata/updateinfo.xml", content)
        told = ("checksum", "sha256", hashlib.sha256(content).hexdigest())
        folder = self.write("repodata/repomd.xml", repomd(told, href="repodata/updateinfo.xml"))
        expected = [("ALAS2023-2023-001", "amazon-2023")]
        self.assertEqual(self.names(kind="updateinfo", path=folder, platforms=["amazon-2023"]), expected)
        self.write("amazon.xml", content)
        self.write("amazon.xml.gz", gzip.compress(content))
        for name in ("repodata/updateinfo.xml", "repodata/repomd.xml", "amazon.xml", "amazon.xml.gz"):
            path = f"{folder}/{name}"
            self.assertEqual(self.names(kind="updateinfo", path=path, platforms=["amazon-2023"]), expected, name)
