"""Tests for :mod:`patches.sources.epss.source`."""

from __future__ import annotations

from patches.settings import BadSetting
from patches.sources.epss.source import LOCATION
from patches.sources.feed import FeedSource
from patches.vulnerability import ALL_PLATFORMS
from tests.sources.feed_case import FeedCase

CONTENT = b"#date\ncve,epss,percentile\nCVE-2021-3156,0.9,0.99\n"


class SourceTests(FeedCase):
    """The only file."""

    def test_read(self) -> None:
        """It is fetched, and read for every platform, whichever are served."""
        self.site.files[LOCATION] = CONTENT
        source = self.source(frozenset({"debian-12"}), kind="epss", url=LOCATION)
        self.assertIsInstance(source, FeedSource)
        self.assertEqual((source.enriches, source.wanted), ("epss", None))
        self.assertEqual([(each.name, each.platform) for each in self.read(source)], [("CVE-2021-3156", ALL_PLATFORMS)])

    def test_settings(self) -> None:
        """It has one location, and no platforms."""
        self.assertRaises(BadSetting, self.source, kind="epss", url=[LOCATION, "https://example.org/"])
        self.assertRaises(BadSetting, self.source, kind="epss", url=LOCATION, platforms=["debian-12"])
