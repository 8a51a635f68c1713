"""Tests for :mod:`patches.sources.fetch.fetcher`."""

from __future__ import annotations

from pathlib import Path

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from patches.errors import SourceError
from patches.settings import BadSetting
from patches.sources.feed import FetchedFile
from patches.sources.fetch.cache import FileCache
from patches.sources.fetch.fetcher import AnyFetcher, FetcherFactory
from tests.sources.fetch.test_access import config
from tests.sources.memory_reactor import ResolvingReactor


class AnyFetcherTests(SynchronousTestCase):
    """Locations."""

    def fetch(self, location: str) -> str:
        """Return the fetcher that received a location, and the location."""

        async def web(location: str, /) -> FetchedFile:
            return FetchedFile(Path("web"), location)

        async def here(location: str, /) -> FetchedFile:
            return FetchedFile(Path("here"), location)

        fetched = self.successResultOf(Deferred.fromCoroutine(AnyFetcher(web, here)(location)))
        return f"{fetched.path} {fetched.state}"

    def test_where(self) -> None:
        """URLs are downloaded, and paths are local files."""
        self.assertEqual(self.fetch("https://x.test/a"), "web https://x.test/a")
        self.assertEqual(self.fetch("HTTP://x.test/a"), "web HTTP://x.test/a")
        for path in ("/var/a.zip", "a.zip", "./odd://name"):
            self.assertEqual(self.fetch(path), f"here {path}")
        self.assertEqual(self.fetch("file:///var/a%20b"), "here /var/a b")
        self.assertEqual(self.fetch("file://localhost/var/a"), "here /var/a")

    def test_neither(self) -> None:
        """Other locations are refused."""
        for location in ("ftp://x.test/a", "file://server/a"):
            fetching = Deferred.fromCoroutine(AnyFetcher(None, None)(location))  # type: ignore[arg-type]
            self.failureResultOf(fetching, SourceError)

    def test_made(self) -> None:
        """The fetcher of a configuration returns a local file."""
        path = Path(self.mktemp())
        path.write_text("{}")
        fetch = FetcherFactory(Clock(), maybeDeferred, FileCache(Path(self.mktemp())), {})
        fetched = self.successResultOf(Deferred.fromCoroutine(fetch(config())(str(path))))  # type: ignore[arg-type]
        self.assertEqual(fetched.path, path)


class FactoryTests(SynchronousTestCase):
    """Fetchers of configured sources."""

    def test_own_access(self) -> None:
        """Each source is downloaded by its own proxy and with its own headers."""
        reactor = ResolvingReactor()
        factory = FetcherFactory(reactor, maybeDeferred, FileCache(Path(self.mktemp())), {"HTTP_PROXY": "env.test:1"})  # type: ignore[arg-type]
        with_headers, by_proxy = {"headers": {"Authorization": "x"}}, {"proxy": "http://own.test:2"}
        for url, options in (("http://feeds.test/a", with_headers), ("http://feeds.test/b", by_proxy)):
            Deferred.fromCoroutine(factory(config(**options))(url))
        self.assertEqual(reactor.connections(), [("env.test", 1), ("own.test", 2)])
        self.assertIn(b"\r\nAuthorization: x\r\n", reactor.accept(0)[1].value())
        self.assertNotIn(b"Authorization: x", reactor.accept(1)[1].value())

    def test_unusable(self) -> None:
        """A proxy or certificates that cannot be used are an error when the fetcher is created."""
        factory = FetcherFactory(Clock(), maybeDeferred, FileCache(Path(self.mktemp())), {"HTTP_PROXY": "socks5://x"})  # type: ignore[arg-type]
        with self.assertRaisesRegex(BadSetting, r"^\[source.osv\]: HTTP_PROXY"):
            factory(config())
        with self.assertRaisesRegex(BadSetting, r"^\[source.osv\]: ca: absent.pem: No such file"):
            factory(config(proxy="http://own.test", ca="absent.pem"))
