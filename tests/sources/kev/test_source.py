"""Tests for :mod:`patches.sources.kev.source`."""

from __future__ import annotations

from patches.settings import BadSetting
from patches.sources.feed import FeedSource
from patches.sources.kev.source import LOCATION
from patches.vulnerability import ALL_PLATFORMS
from tests.sources.feed_case import FeedCase

CONTENT = b'{"count":1,"vulnerabilities":[{"cveID":"CVE-2021-3156","dateAdded":"2022-04-06"}]}'


class SourceTests(FeedCase):
    """The only file."""

    def test_read(self) -> None:
        """It is fetched, and read for every platform, whichever are served."""
        self.site.files[LOCATION] = CONTENT
        source = self.source(frozenset({"debian-12"}), kind="kev", url=LOCATION)
        self.assertIsInstance(source, FeedSource)
        self.assertEqual((source.enriches, source.wanted), ("kev", None))
        self.assertEqual([(each.name, each.platform) for each in self.read(source)], [("CVE-2021-3156", ALL_PLATFORMS)])

    def test_settings(self) -> None:
        """It has one location, and no platforms."""
        self.assertRaises(BadSetting, self.source, kind="kev", url=[LOCATION, "https://example.org/"])
        self.assertRaises(BadSetting, self.source, kind="kev", url=LOCATION, platforms=["debian-12"])
