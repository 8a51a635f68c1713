"""Tests for :mod:`patches.cli.plain_traffic`."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from patches.cli.plain_traffic import is_plain, settle_tls, withhold_standard_tls
from patches.http.access.proxies import Proxy
from patches.scanner.options import ScanCommandSettings
from patches.settings import resolve

PLAIN = {"patches-server": "http://server:8080"}


class IsPlainTests(SynchronousTestCase):
    """TLS is withheld only where nothing can need it."""

    def is_plain(self, given: dict[str, Any], **environment: str) -> bool:
        """Return whether the traffic of a scan with these options is plain."""
        settings = resolve(ScanCommandSettings, given)
        return is_plain(settings.access, settings.standalone, settings.reporter, environment)

    def test_plain(self) -> None:
        """A server, a reporter and proxies that are spoken to in plain HTTP, and no server at all, need no TLS."""
        for more in (
            {},
            {"patches-server": "HTTP://server"},
            {"reporter": "http://reporter:8081"},
            {"proxy": "http://proxy:3128"},
            {"patches-server": None, "offline": "true"},
            {"verify-key": "/etc/patches/key.pub"},
        ):
            self.assertTrue(self.is_plain({**PLAIN, **more}), more)
        self.assertTrue(self.is_plain(PLAIN, http_proxy="http://proxy:3128", https_proxy="http://proxy:3128"))

    def test_not_plain(self) -> None:
        """Everything that is, or may be, encrypted needs TLS."""
        for more in (
            {"patches-server": None},
            {"patches-server": "https://server"},
            {"reporter": "https://reporter"},
            {"proxy": "https://proxy:3128"},
            {"ca": "/etc/patches/ca.pem"},
            {"patches-server": None, "standalone": "true"},
            {"patches-server": None, "source": "osv=https://osv.example"},
            {"patches-server": None, "list": "/srv/list.ndjson"},
            {"patches-server": None, "offline": "true", "reporter": "https://reporter"},
        ):
            self.assertFalse(self.is_plain({**PLAIN, **more}), more)
        for proxy in ("https://proxy:3128", "ftp://proxy"):
            self.assertFalse(self.is_plain(PLAIN, http_proxy=proxy), proxy)
            self.assertFalse(self.is_plain(PLAIN, HTTPS_PROXY=proxy), proxy)

    def test_environment(self) -> None:
        """The proxy that is named takes the place of those of the environment."""
        settings = resolve(ScanCommandSettings, PLAIN)
        access = evolve(settings.access, proxy=Proxy("proxy", 3128))
        self.assertTrue(is_plain(access, settings.standalone, None, {"http_proxy": "https://other"}))


class WithholdTests(SynchronousTestCase):
    """TLS is withheld from what is imported later, until it is known to be needed."""

    def test_withheld(self) -> None:
        """A module is withheld only before anything has looked for it."""
        modules: dict[str, ModuleType] = {}
        withhold_standard_tls(modules)
        self.assertEqual(modules, {"ssl": None})
        settle_tls(False, modules)
        self.assertEqual(modules, {"ssl": None, "OpenSSL": None})
        for name in ("OpenSSL", "twisted.internet.tcp"):
            modules = {name: sys, "ssl": sys}
            withhold_standard_tls(modules)
            settle_tls(False, modules)
            self.assertEqual(modules, {name: sys, "ssl": sys})

    def test_needed(self) -> None:
        """A module that is needed can be imported again; one that is there stays."""
        modules: dict[str, ModuleType] = {}
        withhold_standard_tls(modules)
        settle_tls(True, modules)
        self.assertEqual(modules, {})
        modules = {"ssl": sys, "OpenSSL": sys}
        settle_tls(True, modules)
        self.assertEqual(modules, {"ssl": sys, "OpenSSL": sys})
