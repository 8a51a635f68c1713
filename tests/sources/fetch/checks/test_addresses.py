"""Tests for :mod:`patches.sources.fetch.checks.addresses`."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.interfaces import IHostnameResolver, IHostResolution, IReactorPluggableNameResolver
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from patches.errors import SourceError
from patches.sources.feed import FetchedFile
from patches.sources.fetch.cache import FileCache
from patches.sources.fetch.checks.addresses import AddressForbidden, AddressRules, CheckedReactor, Nearness, nearness_of
from patches.sources.fetch.fetcher import FetcherFactory
from tests.sources.fetch.test_access import config
from tests.sources.memory_reactor import Transport

PUBLIC, PRIVATE, LINK_LOCAL, LOOPBACK = Nearness

ADDRESSES = {
    PUBLIC: ("8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1", "1.1.1.1"),
    PRIVATE: (
        *("10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "100.127.255.255"),
        *("192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "240.0.0.1", "255.255.255.255", "192.0.0.8"),
        *("224.0.0.1", "239.255.255.250", "ff02::1", "ff0e::1", "fc00::1", "fd12:3456::1", "fec0::1", "2001:db8::1"),
        *("::ffff:10.0.0.1", "::ffff:a00:1", "64:ff9b::a00:1", "64:ff9b:1::1", "2002:a00:1::", "2002:c0a8:101::5"),
        *("::ffff:100.64.0.1", "::ffff:224.0.0.1", "100::1", "::10.0.0.1"),
    ),
    LINK_LOCAL: ("169.254.169.254", "fe80::1", "fe80::1%eth0", "::ffff:169.254.1.1", "2002:a9fe:a9fe::1"),
    LOOPBACK: (
        *("127.0.0.1", "127.255.255.254", "::1", "0.0.0.0", "::", "::ffff:127.0.0.1", "::ffff:0.0.0.0"),
        *("64:ff9b::7f00:1", "2002:7f00:1::", "::127.0.0.1"),
    ),
}


class NearnessTests(SynchronousTestCase):
    """Addresses by how near they are."""

    def test_each(self) -> None:
        """The special-purpose registries decide, and what an address contains."""
        for nearness, addresses in ADDRESSES.items():
            for address in addresses:
                self.assertIs(nearness_of(address), nearness, address)

    def test_names(self) -> None:
        """A name has no nearness before it is resolved."""
        for name in ("localhost", "feeds.test", "127.1", ""):
            self.assertRaises(ValueError, nearness_of, name)

    def test_forms_of_numbers(self) -> None:
        """Decimal, octal and short forms are judged as what the resolver reads in them."""
        for form in ("2130706433", "0177.0.0.1", "0x7f.1", "127.1", "0"):
            addresses = {info[4][0] for info in socket.getaddrinfo(form, 80, type=socket.SOCK_STREAM)}
            for address in addresses:
                self.assertRaises(AddressForbidden, AddressRules.of_hosts(["feeds.test"]).check, form, str(address))


class RulesTests(SynchronousTestCase):
    """Rules of a source."""

    def test_as_near_as_itself(self) -> None:
        """A source leads to addresses that are as near as its own, or farther; not nearer."""
        for own, (mine, *_) in ADDRESSES.items():
            for nearness, addresses in ADDRESSES.items():
                rules = AddressRules.of_hosts(["Feeds.test"])
                rules.check("feeds.test", mine)
                for address in addresses:
                    if nearness <= own:
                        rules.check("other.test", address)
                    else:
                        with self.assertRaises(AddressForbidden) as caught:
                            rules.check("other.test", address)
                        self.assertIn(f"it leads to other.test at {address}, a", caught.exception.reason)

    def test_unresolved(self) -> None:
        """A source that was not connected to directly is public, unless its URL contains an address."""
        self.assertRaises(AddressForbidden, AddressRules.of_hosts(["feeds.test"]).check, "10.0.0.1", "10.0.0.1")
        AddressRules.of_hosts(["10.0.0.2"]).check("10.0.0.1", "10.0.0.1")
        self.assertRaises(AddressForbidden, AddressRules.of_hosts(["10.0.0.2"]).check, "localhost", "127.0.0.1")

    def test_words(self) -> None:
        """The reason names the host, its address and what is wrong with it, in one line."""
        for address, kind in (("::1", "loopback"), ("169.254.1.1", "link-local"), ("10.1.2.3", "private or reserved")):
            with self.assertRaises(AddressForbidden) as caught:
                AddressRules.of_hosts([]).check(address, address)
            self.assertEqual(
                caught.exception.reason,
                f"it leads to {address}, a {kind} address, which only a source that has one itself may lead to",
            )


@implementer(IReactorPluggableNameResolver, IHostnameResolver)
class NamesReactor(MemoryReactorClock):
    """A reactor with a table of names."""

    def __init__(self, **names: tuple[str, ...]) -> None:
        super().__init__()
        self.nameResolver = self
        self.names = {f"{name}.test": addresses for name, addresses in names.items()}

    def installNameResolver(self, resolver: IHostnameResolver) -> IHostnameResolver:
        """Install nothing."""
        return resolver

    def resolveHostName(
        self,
        resolutionReceiver: Any,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Any = None,
        transportSemantics: str = "TCP",
    ) -> IHostResolution:
        """Resolve a name of the table; any other is an address."""
        resolutionReceiver.resolutionBegan(None)
        for address in self.names.get(hostName, (hostName,)):
            kind = IPv6Address if ":" in address else IPv4Address
            resolutionReceiver.addressResolved(kind("TCP", address, portNumber))
        resolutionReceiver.resolutionComplete()
        return None  # type: ignore[return-value]  # nothing cancels it

    def answer(self, head: str, body: bytes = b"", keep: bool = True) -> None:
        """Accept the last connection, and answer the request on it; the connection may be kept for others."""
        factory, transport = self.tcpClients[-1][2], Transport()
        protocol = factory.buildProtocol(None)
        protocol.makeConnection(transport)
        closing = "" if keep else "Connection: close\r\n"
        protocol.dataReceived(f"HTTP/1.1 {head}\r\n{closing}Content-Length: {len(body)}\r\n\r\n".encode() + body)

    def settle(self) -> None:
        """Advance until an endpoint has tried all addresses, which it does one after the other."""
        self.pump([0.3] * 5)

    def tried(self) -> list[str]:
        """Return the addresses to which connections were requested."""
        return [client[0] for client in self.tcpClients]


class RedirectTests(SynchronousTestCase):
    """Redirects of a configured source, from its URL to the connection."""

    def fetch(self, reactor: NamesReactor, **environment: str) -> Deferred[FetchedFile]:
        """Begin to fetch a file of a source."""
        factory = FetcherFactory(reactor, maybeDeferred, FileCache(Path(self.mktemp())), environment)
        fetch = factory(config(url="http://feeds.test"))
        return Deferred.fromCoroutine(fetch("http://feeds.test/all.zip"))  # type: ignore[arg-type]

    def redirect(self, target: str, **names: tuple[str, ...]) -> tuple[NamesReactor, Deferred[FetchedFile]]:
        """Begin to fetch a file that is redirected."""
        reactor = NamesReactor(**{"feeds": ("8.8.8.8",), **names})
        fetching = self.fetch(reactor)
        reactor.answer(f"302 Found\r\nLocation: {target}")
        return reactor, fetching

    def test_interface(self) -> None:
        """The checked reactor resolves names like the reactor."""
        reactor = NamesReactor()
        checked = CheckedReactor(reactor, AddressRules(), "feeds.test")
        verifyObject(IReactorPluggableNameResolver, checked)
        self.assertIs(checked.nameResolver, reactor)
        self.assertIs(checked.installNameResolver(reactor), reactor)

    def test_refused(self) -> None:
        """A literal address and a name that resolves to one are refused before a connection, in one line, at once."""
        for target, address in (
            ("http://127.0.0.1:8080/x", "127.0.0.1"),
            ("http://six.test/x", "six.test at ::ffff:127.0.0.1"),
            ("http://169.254.169.254/latest/meta-data", "169.254.169.254"),
            ("//evil.test/x", "evil.test at 10.0.0.1"),
            ("https://evil.test/x", "evil.test at 10.0.0.1"),
            ("http://EVIL.test/x", "evil.test at 10.0.0.1"),
        ):
            reactor, fetching = self.redirect(target, evil=("10.0.0.1",), six=("::ffff:127.0.0.1",))
            reactor.settle()
            said = str(self.failureResultOf(fetching, SourceError).value)
            self.assertRegex(said, rf"\Ahttp://feeds.test/all.zip: it leads to {address}, a [^\n]+\Z")
            self.assertEqual(reactor.tried(), ["8.8.8.8"])

    def test_each_attempt(self) -> None:
        """Of several addresses of a name, each is checked: only the public ones are tried."""
        reactor, fetching = self.redirect("http://both.test/x", both=("10.0.0.1", "::1", "9.9.9.9", "fe80::1"))
        reactor.settle()
        self.assertEqual(reactor.tried(), ["8.8.8.8", "9.9.9.9"])
        reactor.answer("200 OK", b"x")
        self.assertEqual(self.successResultOf(fetching).path.read_bytes(), b"x")

    def test_public(self) -> None:
        """A redirect to another public server is followed, and from there no nearer."""
        reactor, fetching = self.redirect("http://cdn.test/x", cdn=("9.9.9.9",))
        reactor.answer("302 Found\r\nLocation: http://127.0.0.1/")
        reactor.settle()
        self.failureResultOf(fetching, SourceError)
        self.assertEqual(reactor.tried(), ["8.8.8.8", "9.9.9.9"])

    def test_own(self) -> None:
        """A source on this host may redirect to this host, and one in a private network to that network."""
        for mine, target in (("127.0.0.1", "127.0.0.2"), ("::1", "10.0.0.1"), ("10.0.0.1", "192.168.0.1")):
            reactor, fetching = self.redirect(f"http://{target}/x", feeds=(mine,))
            reactor.answer("200 OK", b"x")
            self.assertEqual(self.successResultOf(fetching).path.read_bytes(), b"x")
            self.assertEqual(reactor.tried(), [mine, target])

    def test_proxy_decides(self) -> None:
        """Through a proxy nothing is checked here, not even the address of the proxy."""
        reactor = NamesReactor(proxy=("10.0.0.9",))
        fetching = self.fetch(reactor, HTTP_PROXY="http://proxy.test:3128", NO_PROXY="10.0.0.1")
        reactor.answer("302 Found\r\nLocation: http://10.0.0.2/x", keep=False)
        reactor.answer("302 Found\r\nLocation: http://10.0.0.1/x", keep=False)
        reactor.settle()
        self.assertIn("it leads to 10.0.0.1, a private", str(self.failureResultOf(fetching, SourceError).value))
        self.assertEqual(reactor.tried(), ["10.0.0.9", "10.0.0.9"])

    def test_unreachable(self) -> None:
        """A server that cannot be reached is still asked again."""
        reactor = NamesReactor(feeds=("8.8.8.8",))
        fetching = self.fetch(reactor)
        reactor.tcpClients[0][2].clientConnectionFailed(None, Failure(ConnectionRefusedError()))
        reactor.settle()
        reactor.advance(2)
        self.assertEqual(reactor.tried(), ["8.8.8.8", "8.8.8.8"])
        self.assertNoResult(fetching)
