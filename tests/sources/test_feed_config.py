"""Tests for :mod:`patches.sources.feed_config`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from patches.settings import BadSetting
from patches.sources.config import SourceConfig
from patches.sources.context import SourceContext
from patches.sources.feed import Fetch, FetchedFile
from patches.sources.feed_config import feed_source, list_key, one_platform
from patches.sources.fetch.cache import FileCache
from patches.sources.parse_job import FeedPart
from tests.sources.feed_case import run


def config(**options: Any) -> SourceConfig:
    """Return the configuration of a source."""
    return SourceConfig("made-up", "osv", ("a",), **options)


def context() -> SourceContext:
    """Create a context whose fetcher returns the name of the source as the state of every file."""

    def fetcher(config: SourceConfig) -> Fetch:
        async def fetch(location: str, /) -> FetchedFile:
            return FetchedFile(Path(location), f"fetched for {config.name}")

        return fetch

    folder = Path("folder")
    return SourceContext(reactor=None, run=run, folder=folder, fetcher=fetcher, files=FileCache(folder))


class FeedSourceTests(SynchronousTestCase):
    """Sources of files."""

    def states(self, fetch: Fetch | None) -> list[str | None]:
        """Return the states that a source of one file offers."""

        def parts(wanted: frozenset[str] | None) -> Sequence[FeedPart]:
            return [FeedPart("a", ("a",))]

        source = feed_source(config(rank=2), context(), None, parts, fetch)
        self.assertEqual((source.name, source.rank, source.wanted), ("made-up", 2, None))
        return [offer.state for offer in self.successResultOf(Deferred.fromCoroutine(source.offers()))]

    def test_fetcher(self) -> None:
        """The files are fetched by the fetcher of the configuration, unless the source has one of its own."""

        async def own(location: str, /) -> FetchedFile:
            return FetchedFile(Path(location), "fetched by its own fetcher")

        self.assertEqual(self.states(None), ["fetched for made-up"])
        self.assertEqual(self.states(own), ["fetched by its own fetcher"])

    def test_wanted(self) -> None:
        """The lists of a source are those of the wanted platforms."""
        asked = []

        def parts(wanted: frozenset[str] | None) -> Sequence[FeedPart]:
            asked.append(wanted)
            return []

        source = feed_source(config(), context(), frozenset({"debian-12"}), parts)
        self.assertEqual(self.successResultOf(Deferred.fromCoroutine(source.offers())), [])
        self.assertEqual((asked, source.rank), ([frozenset({"debian-12"})], 0))


class SharedTests(SynchronousTestCase):
    """The parts that the configurations of several kinds share."""

    def test_one_platform(self) -> None:
        """A source whose files do not name their platform needs exactly one."""
        self.assertEqual(one_platform(config(platforms=("wolfi",))), "wolfi")
        for platforms in (None, (), ("amazon-2", "amazon-2023")):
            with self.assertRaisesRegex(BadSetting, r'^\[source.made-up\]: needs exactly one platform in "platforms"$'):
                one_platform(config(platforms=platforms))

    def test_list_key(self) -> None:
        """The key of a list is the last part of its location, which is never empty."""
        for location, key in {
            "https://feeds.test/debian/all.zip": "all.zip",
            "https://feeds.test/debian/": "debian",
            "/srv/osv": "osv",
            "export.json": "export.json",
            "/": "/",
        }.items():
            self.assertEqual(list_key(location), key)
