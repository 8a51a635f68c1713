"""Tests for :mod:`patches.sources.fetch.access`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from patches.http.access.proxies import Proxy
from patches.settings import BadSetting
from patches.sources.config import SourceConfig
from patches.sources.fetch.access import Access


def config(**options: Any) -> SourceConfig:
    """Return the configuration of a source."""
    return SourceConfig.from_section("osv", {"kind": "osv", "url": "https://feeds.test", **options})


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
