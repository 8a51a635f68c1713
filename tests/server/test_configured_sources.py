"""Tests for :mod:`patches.server.configured_sources`: sources are created from the options."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from twisted.internet.defer import ensureDeferred, maybeDeferred
from twisted.internet.interfaces import IHostnameResolver, IReactorPluggableNameResolver
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from patches.server.configured_sources import create_sources
from patches.server.options import ServerSettings
from patches.settings import BadSetting, resolve
from patches.sources.clair.source import ClairSource


@implementer(IReactorPluggableNameResolver, IHostnameResolver)
class AskedReactor(MemoryReactorClock):
    """
    A reactor that resolves no host name.

    :ivar hosts: the names and ports that were to be connected to.
    """

    def __init__(self) -> None:
        super().__init__()
        self.hosts: list[tuple[str, int]] = []
        self.nameResolver = self

    def installNameResolver(self, resolver: IHostnameResolver) -> IHostnameResolver:
        """Keep this resolver."""
        return self  # type: ignore[return-value]

    def resolveHostName(self, receiver: Any, hostName: str, portNumber: int = 0, *more: Any, **options: Any) -> Any:
        """Record the name, and resolve it to nothing."""
        self.hosts.append((hostName, portNumber))
        receiver.resolutionBegan(None)
        receiver.resolutionComplete()
        return receiver


class ClairTests(SynchronousTestCase):
    """A Clair that is configured by options or in a file."""

    def made(self, environment: dict[str, str] | None = None, file: str = "", **given: str) -> ClairSource:
        """Create the single source of options and a file."""
        path = Path(self.mktemp())
        path.write_text("no-public-sources = true\n" + file)
        settings = resolve(ServerSettings, {"config": str(path), **given})
        self.reactor = AskedReactor()
        (source,) = create_sources(
            self.reactor, settings.sources, settings.refresh, maybeDeferred, Path(self.mktemp()), environment or {}
        ).configured
        assert isinstance(source, ClairSource)
        return source

    def host_asked(self, environment: dict[str, str], url: str) -> tuple[str, int]:
        """Return the host to which a connection is made when Clair is asked."""
        ensureDeferred(self.made(environment, clair=url).offers())
        return self.reactor.hosts[0]

    def test_proxies(self) -> None:
        """The proxies of the environment are used, except for the hosts that it excludes."""
        environment = {"HTTPS_PROXY": "http://tls-proxy.test:3129", "http_proxy": "proxy.test:3128"}
        self.assertEqual(self.host_asked({}, "http://clair.test:6060"), ("clair.test", 6060))
        self.assertEqual(self.host_asked(environment, "http://clair.test:6060"), ("proxy.test", 3128))
        self.assertEqual(self.host_asked(environment, "https://clair.test"), ("tls-proxy.test", 3129))
        environment["NO_PROXY"] = "clair.test"
        self.assertEqual(self.host_asked(environment, "https://clair.test"), ("clair.test", 443))
        self.assertEqual(self.host_asked(environment, "http://other.test"), ("proxy.test", 3128))

    def test_ecosystems(self) -> None:
        """A configured ecosystem that cannot be used is refused, even if no source has it."""
        photon = '[ecosystem."Photon OS"]\nfamily = "photon"\nkind = "binary"\nscheme = '
        self.made(file=f'{photon}"rpm"\n', clair="http://clair.test")
        for text, message in (
            (f'{photon}"pacman"', r'^\[ecosystem."Photon OS"\]: scheme: must be one of dpkg, rpm, apk'),
            (f'{photon}"rpm"\nrelease = 4', r"^\[ecosystem.\"Photon OS\"\]: there is no option 'release'"),
            (f'{photon}"rpm"'.replace("Photon OS", "Ubuntu"), r'^\[ecosystem."Ubuntu"\]: this ecosystem is known'),
        ):
            with self.assertRaisesRegex(BadSetting, message):
                self.made(file=text, clair="http://clair.test")

    def test_bad_proxy(self) -> None:
        """A proxy that cannot be used is refused."""
        with self.assertRaisesRegex(BadSetting, r"^HTTP_PROXY in the environment must be"):
            self.made({"HTTP_PROXY": "socks5://proxy.test"}, clair="http://clair.test")

    def test_full_walk(self) -> None:
        """The interval of complete imports can be set by an option or in the file; it is a day by default."""
        self.assertEqual(self.seconds(self.made(clair="http://clair.test")), 86400)
        self.assertEqual(self.seconds(self.made(**{"clair": "http://clair.test", "clair-full-walk": "2h"})), 7200)
        section = '[source.old]\nkind = "clair"\nurl = "http://clair.test"\n'
        self.assertEqual(self.seconds(self.made(file=section)), 86400)
        source = self.made(file=section + 'full-walk = "20m"\n')
        self.assertEqual((self.seconds(source), source.ask_within), (1200, timedelta(minutes=20)))
        with self.assertRaisesRegex(BadSetting, r"^\[source.old\]: full-walk: must be a time"):
            self.made(file=section + 'full-walk = "daily"\n')

    def seconds(self, source: ClairSource) -> float:
        """Return the interval at which a source is read completely."""
        return source._full_walk
