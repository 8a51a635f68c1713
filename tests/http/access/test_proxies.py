"""Tests for :mod:`patches.http.access.proxies`."""

from __future__ import annotations

import base64
from ipaddress import IPv4Address, IPv6Address

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from patches.http.access.proxies import Bypass, Proxies, Proxy
from patches.settings import BadSetting

HOSTS = st.from_regex(r"[a-z][a-z0-9-]{0,8}(\.[a-z][a-z0-9-]{0,8}){0,3}", fullmatch=True)
PORTS = st.integers(1, 65535)


class ProxyTests(SynchronousTestCase):
    """URLs of proxies."""

    def test_forms(self) -> None:
        """Scheme and port are optional; user and password may be present, and be escaped."""
        for text, proxy in {
            "http://proxy.test:3128": Proxy("proxy.test", 3128),
            "proxy.test:3128": Proxy("proxy.test", 3128),
            "http://proxy.test/": Proxy("proxy.test", 80),
            "https://proxy.test": Proxy("proxy.test", 443, encrypted=True),
            "http://[::1]:8080": Proxy("::1", 8080),
        }.items():
            self.assertEqual(Proxy.from_url(text), proxy)
        authorization = Proxy.from_url("http://me:p%40ss%3A@proxy.test").authorization or ""
        self.assertEqual(base64.b64decode(authorization.removeprefix("Basic ")), b"me:p@ss:")

    def test_unusable(self) -> None:
        """A text that is not the URL of a proxy is refused; neither the error nor the value shows the password."""
        for text in (
            "",
            "socks5://me:secret@x",
            "http://",
            "http://x:0",
            "http://x:99999",
            "http://me:secret@x/y",
            "http://me:secret@[fe80::1%eth0]:3128",
            "::1:3128",
            "a b",
        ):
            with self.assertRaises(BadSetting) as caught:
                Proxy.from_url(text)
            self.assertNotIn("secret", str(caught.exception))
        self.assertNotIn("Basic", repr(Proxy.from_url("http://me:secret@x")))


class EnvironmentTests(SynchronousTestCase):
    """Proxies of the environment."""

    def direct(self, no_proxy: str, host: str, port: int = 443) -> bool:
        """Return whether a server is reached without a proxy."""
        proxies = Proxies.from_environment({"HTTPS_PROXY": "http://proxy.test:3128", "NO_PROXY": no_proxy})
        return proxies.proxy_for("https", host, port) is None

    def test_variables(self) -> None:
        """Each scheme has its variable, in lower or upper case; lower case takes precedence, empty ones are ignored."""
        environment = {"HTTP_PROXY": "http://a.test", "http_proxy": "http://b.test", "HTTPS_PROXY": "", "x": "y"}
        proxies = Proxies.from_environment(environment)
        self.assertEqual(proxies.proxy_for("http", "x.test", 80), Proxy("b.test", 80))
        self.assertIsNone(proxies.proxy_for("https", "x.test", 443))
        proxies = Proxies.from_environment({"https_proxy": "c.test:1", "no_proxy": "x.test", "NO_PROXY": "*"})
        self.assertEqual(proxies.proxy_for("https", "y.test", 443), Proxy("c.test", 1))
        self.assertIsNone(proxies.proxy_for("http", "y.test", 80))
        self.assertIsNone(Proxies.from_environment({}).proxy_for("https", "x.test", 443))

    def test_bad_variable(self) -> None:
        """A variable that cannot be used is an error that names it, and does not contain the password."""
        with self.assertRaises(BadSetting) as caught:
            Proxies.from_environment({"https_proxy": "socks5://me:secret@x"})
        self.assertRegex(str(caught.exception), "^HTTPS_PROXY in the environment must be the URL of a proxy")

    def test_no_proxy(self) -> None:
        """Hosts, suffixes, addresses, networks and ports."""
        for entry, yes, no in (
            ("feeds.test", ["feeds.test", "FEEDS.test.", "a.feeds.test"], ["myfeeds.test", "test", "feeds.test.evil"]),
            (".feeds.test", ["a.feeds.test", "a.b.feeds.test"], ["feeds.test", "afeeds.test"]),
            ("*.feeds.test", ["a.feeds.test"], ["feeds.test"]),
            ("*", ["feeds.test", "10.0.0.1", "::1"], []),
            ("10.1.0.0/16", ["10.1.2.3", "::ffff:10.1.2.3"], ["10.2.0.1", "10.1.test", "fe80::1"]),
            ("10.1.2.3", ["10.1.2.3"], ["10.1.2.30", "210.1.2.3"]),
            ("2001:db8::/32", ["2001:db8::7"], ["2001:db9::7", "10.0.0.1"]),
            ("[2001:db8::7]", ["2001:db8::7", "2001:DB8:0::7"], ["2001:db8::8"]),
            (" a.test ,, b.test\tc.test", ["a.test", "b.test", "c.test"], ["d.test"]),
            (".", [], ["feeds.test", "10.0.0.1"]),
            ("", [], ["feeds.test"]),
        ):
            self.assertEqual([host for host in yes if not self.direct(entry, host)], [], entry)
            self.assertEqual([host for host in no if self.direct(entry, host)], [], entry)

    def test_ports(self) -> None:
        """An entry with a port covers that port only."""
        for entry, host in (("x.test:8443", "x.test"), ("10.0.0.1:8443", "10.0.0.1"), ("[fe80::1]:8443", "fe80::1")):
            self.assertTrue(self.direct(entry, host, 8443))
            self.assertFalse(self.direct(entry, host, 443))
        self.assertTrue(self.direct("*:8443", "x.test", 8443))
        self.assertFalse(self.direct("*:8443", "x.test", 443))

    def test_this_host(self) -> None:
        """This host is reached without a proxy of the environment, but with a configured one."""
        for host in ("localhost", "127.0.0.1", "127.8.8.8", "::1"):
            self.assertTrue(self.direct("", host))
            self.assertIsNotNone(Proxies.always(Proxy("proxy.test", 1)).proxy_for("http", host, 80))

    @given(HOSTS, HOSTS, PORTS, PORTS)
    def test_names(self, name: str, below: str, port: int, other: int) -> None:
        """
        A name covers itself and its subdomains, and no name that merely has the same ending; a port only narrows it.
        """
        self.assertTrue(Bypass.from_text(name).covers(name, port))
        self.assertTrue(Bypass.from_text(name.upper()).covers(f"{below}.{name}", port))
        self.assertFalse(Bypass.from_text(f"x{name}").covers(name, port))
        self.assertFalse(Bypass.from_text(name).covers(f"x{name}", port))
        self.assertFalse(Bypass.from_text(f".{name}").covers(name, port))
        self.assertEqual(Bypass.from_text(f"{name}:{port}").covers(name, other), port == other)

    @given(st.ip_addresses(), st.integers(0, 32))
    def test_addresses(self, address: IPv4Address | IPv6Address, prefix: int) -> None:
        """An address covers itself, and a network all its addresses."""
        for entry in (str(address), f"{address}/{prefix}"):
            self.assertTrue(Bypass.from_text(entry).covers(str(address), 443), entry)

    @given(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
    def test_whatever_is_there(self, text: str) -> None:
        """Any variable is parsed, and has the same meaning every time."""
        self.assertEqual(self.direct(text, "x.test"), self.direct(text, "x.test"))
