"""Tests for :mod:`patches.sources.clair_export.source`."""

from __future__ import annotations

import gzip
from pathlib import Path

import zstandard

from tests.sources.clair_export.test_parser import DEBIAN, entry, lines
from tests.sources.feed_case import FeedCase, LocalCase, reading


class SourceTests(FeedCase):
    """A source of the kind ``clair-export``."""

    def test_gathered(self) -> None:
        """The packages of one vulnerability id are merged, from plain and from compressed files."""
        url = "https://clair.test/export"
        packages = [entry("u", "CVE-2024-0001", distribution=DEBIAN, package={"name": name}) for name in "ab"]
        content = lines(packages[0], entry("u", "CVE-2024-0002", distribution=DEBIAN), packages[1])
        for packed in (content, gzip.compress(content), zstandard.ZstdCompressor().compress(content)):
            self.site.files[url] = packed
            found = self.read(self.source(kind="clair-export", url=url))
            self.assertEqual(
                [(each.name, len(each.fixed_in)) for each in found], [("CVE-2024-0001", 2), ("CVE-2024-0002", 1)]
            )
            self.assertEqual({each.source for each in found}, {"made-up"})
        self.site.files[url] = gzip.compress(content)[:-20]
        self.assertIn("damaged", self.refusal(reading(self.source(kind="clair-export", url=url))))

    def test_several_files(self) -> None:
        """Several files are one list, in which the packages of a vulnerability id are merged."""
        urls = ["https://clair.test/a.json", "https://clair.test/b.json"]
        for url, name in zip(urls, "ab", strict=True):
            self.site.files[url] = lines(entry("u", "CVE-2024-0001", distribution=DEBIAN, package={"name": name}))
        source = self.source(kind="clair-export", url=urls)
        self.assertEqual([(offer.key, offer.platform) for offer in self.had(source.offers())], [("a.json", None)])
        (found,) = self.read(source)
        self.assertEqual([package.name for package in found.fixed_in], ["a", "b"])


class LocalTests(LocalCase):
    """Exports in a folder."""

    def test_clair_export(self) -> None:
        """An export is read from a file, only the wanted platforms of it."""
        folder = self.write("export.json", lines(entry("debian/updater", "CVE-2024-0001", distribution=DEBIAN)))
        expected = [("CVE-2024-0001", "debian-12")]
        self.assertEqual(self.names(kind="clair-export", path=f"{folder}/export.json"), expected)
        self.assertEqual(self.names(kind="clair-export", path=f"{folder}/export.json", platforms=["debian-11"]), [])

    def test_scratch_is_gone(self) -> None:
        """The scratch file is deleted."""
        folder = self.write("export.json", lines(entry("debian/updater", "CVE-2024-0001", distribution=DEBIAN)))
        self.names(kind="clair-export", path=f"{folder}/export.json")
        self.assertEqual([path.name for path in Path(self.folder).glob("*.regroup*")], [])
