"""Tests for :mod:`patches.sources.nvd.source`."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime

from patches.settings import BadSetting
from patches.sources.config import SourceConfig
from patches.sources.context import SourceContext
from patches.sources.feed import FeedSource
from patches.sources.fetch.cache import FileCache
from patches.sources.nvd.source import create_source
from patches.vulnerability import ALL_PLATFORMS
from tests.sources.feed_case import LocalCase, Site, run
from tests.sources.nvd.test_lists import meta
from tests.sources.nvd.test_parser import ANALYSTS, HIGH, cve, document, metric

BASE = "https://nvd.example.org/feeds"


def year(name: str) -> bytes:
    """Return the text of a year with one CVE."""
    return document(cve(name, v31=[metric(ANALYSTS, HIGH, 7.8, "Primary")]))


class WebTests(LocalCase):
    """The folder of NVD's feeds, at a URL."""

    def setUp(self) -> None:
        super().setUp()
        self.site = Site(self.folder / "nvd")
        self.now = datetime(2003, 1, 2, tzinfo=UTC).timestamp()
        for number in (2002, 2003):
            text = year(f"CVE-{number}-0001")
            self.site.files[f"{BASE}/nvdcve-2.0-{number}.json.gz"] = gzip.compress(text, mtime=0)
            self.site.files[f"{BASE}/nvdcve-2.0-{number}.meta"] = meta(text)

    def web(self) -> FeedSource:
        """Create a source of the site."""
        files = FileCache(self.folder / "kept")
        context = SourceContext(
            reactor=None, run=run, folder=self.folder, fetcher=lambda config: self.site, files=files
        )
        config = SourceConfig.from_section("nvd", {"kind": "nvd", "url": BASE})
        source = create_source(config, context, frozenset({"debian-12"}), lambda: self.now)
        assert isinstance(source, FeedSource)
        return source

    def test_years(self) -> None:
        """Each year is a list by itself; that of a new year is expected from its third day on."""
        source = self.web()
        self.assertEqual(source.enriches, "cvss")
        self.assertEqual([offer.key for offer in self.had(source.offers())], ["nvdcve-2.0-2002"])
        self.now += 2 * 86_400
        offers = self.had(source.offers())
        self.assertEqual([offer.key for offer in offers], ["nvdcve-2.0-2002", "nvdcve-2.0-2003"])
        found = self.read(source)
        names = [(each.name, each.platform) for each in found]
        self.assertEqual(names, [("CVE-2002-0001", ALL_PLATFORMS), ("CVE-2003-0001", ALL_PLATFORMS)])

    def test_one_year_fails(self) -> None:
        """A year that cannot be fetched, or is not as published, fails alone."""
        self.now += 365 * 86_400
        del self.site.files[f"{BASE}/nvdcve-2.0-2003.meta"]
        self.site.files[f"{BASE}/nvdcve-2.0-2002.json.gz"] = gzip.compress(year("CVE-2002-0002"))
        source = self.web()
        offers = self.had(source.offers())
        self.assertEqual([offer.state is None for offer in offers], [False, True])
        for offer in offers:
            self.refusal(self.consume(source, offer.key))

    async def consume(self, source: FeedSource, key: str) -> list[str]:
        """Read one list."""
        return [each.name async for each in source.listing(key)]


class PathTests(LocalCase):
    """Files and folders."""

    def test_folder(self) -> None:
        """The files of a folder are lists; a ``.meta`` beside one is verified."""
        self.write("nvdcve-2.0-2024.json.gz", gzip.compress(year("CVE-2024-0001")))
        folder = self.write("page.json", year("CVE-2023-0001"))
        self.write("notes.txt", b"no list")
        names = [("CVE-2024-0001", ALL_PLATFORMS), ("CVE-2023-0001", ALL_PLATFORMS)]
        self.assertEqual(self.names(kind="nvd", path=folder), names)
        self.write("nvdcve-2.0-2024.meta", meta(b"another text"))
        source = self.made(kind="nvd", path=f"{folder}/nvdcve-2.0-2024.json.gz")
        assert isinstance(source, FeedSource)
        self.assertIn("checksum", self.refusal(self.reads(source)))

    async def reads(self, source: FeedSource) -> list[str]:
        """Read the only list of a source."""
        (offer,) = await source.offers()
        return [each.name async for each in source.listing(offer.key)]

    def test_missing(self) -> None:
        """A folder without files, and one that is not there, are errors of the source."""
        folder = self.write("notes.txt", b"no list")
        for path in (folder, f"{folder}/missing"):
            self.refusal(self.made(kind="nvd", path=path).offers())

    def test_several(self) -> None:
        """Of two locations with the same year the first one holds."""
        first = self.write("nvdcve-2.0-2024.json", year("CVE-2024-0001"))
        self.write("other/nvdcve-2.0-2024.json", year("CVE-2024-0002"))
        found = self.names(kind="nvd", path=[first, f"{first}/other"])
        self.assertEqual(found, [("CVE-2024-0001", ALL_PLATFORMS)])

    def test_platforms(self) -> None:
        """A source about all platforms has none to choose."""
        self.assertRaises(BadSetting, self.made, kind="nvd", path="x", platforms=["debian-12"])
