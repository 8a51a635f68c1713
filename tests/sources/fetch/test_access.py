"""Tests for :mod:`patches.sources.context`, :mod:`~patches.sources.fetch.access` and the headers of a Clair."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from patches.interfaces import SourceError
from patches.settings import BadSetting
from patches.sources.config import SourceConfig
from patches.sources.feed import FetchedFile
from patches.sources.fetch.access import Access
from patches.sources.fetch.cache import FileCache
from patches.sources.fetch.clients import WithHeaders
from patches.sources.fetch.fetcher import AnyFetcher, FetcherFactory
from patches.sources.fetch.proxies import Proxy
from tests.sources.memory_web import Web, told


def config(**options: Any) -> SourceConfig:
    """Return the configuration of a source."""
    return SourceConfig.from_section("osv", {"kind": "osv", "url": "https://feeds.test", **options})


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


class AccessTests(SynchronousTestCase):
    """Configuration and environment."""

    def test_proxy(self) -> None:
        """A configured proxy takes precedence over the environment's, its exceptions included."""
        environment = {"HTTPS_PROXY": "http://env.test:1", "NO_PROXY": "feeds.test"}
        configured = Access.from_config(config(proxy="http://me:secret@own.test:2"), environment).proxies
        self.assertEqual((configured.proxy_for("https", "feeds.test", 443) or Proxy("", 0)).host, "own.test")
        proxies = Access.from_config(config(), environment).proxies
        self.assertIsNone(proxies.proxy_for("https", "feeds.test", 443))
        self.assertEqual(proxies.proxy_for("https", "other.test", 443), Proxy("env.test", 1))

    def test_secrets(self) -> None:
        """The secrets of a configuration are not in its text."""
        secret = config(proxy="http://me:secret@own.test:2", headers={"Authorization": "secret"})
        self.assertNotIn("secret", repr(secret) + repr(Access.from_config(secret, {})))

    def test_unusable(self) -> None:
        """A value that cannot be used is an error in one line that names the source."""
        with self.assertRaisesRegex(BadSetting, r"^\[source.osv\]: proxy: must be the URL of a proxy"):
            config(proxy="socks5://me:secret@x")
        with self.assertRaisesRegex(BadSetting, r"^\[source.osv\]: HTTP_PROXY in the environment must be"):
            Access.from_config(config(), {"http_proxy": "socks5://x"})
        for headers in ({"a b": "c"}, {"a": "b\r\nc: d"}):
            with self.assertRaisesRegex(BadSetting, r"^\[source.osv\]: headers: "):
                config(headers=headers)

    def test_certificates(self) -> None:
        """A file without certificates, or with a damaged one, is an error in one line."""
        path = Path(self.mktemp())
        block = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
        for content, reason in {
            None: "No such file or directory",
            b"": "has no certificate",
            block: "cannot be read",
        }.items():
            if content is not None:
                path.write_bytes(content)
            with self.assertRaises(BadSetting) as caught:
                Access.from_config(config(ca=str(path)), {})
            self.assertRegex(str(caught.exception), rf"\A\[source\.osv\]: ca: {path}: .*{reason}[^\n]*\Z")


class HeaderTests(SynchronousTestCase):
    """Headers of each request."""

    def test_sent(self) -> None:
        """Configured headers replace those of the same name."""
        web = Web(lambda asked: told(200))
        agent = WithHeaders(web.agent(Clock()), {"Authorization": "Bearer x", "user-agent": "mine"})
        asking = agent.request(b"GET", b"http://clair.test/", None)
        web.flush()
        self.successResultOf(asking)
        self.assertEqual(web.asked[0].headers["authorization"], "Bearer x")
        self.assertEqual(web.asked[0].headers["user-agent"], "mine")
