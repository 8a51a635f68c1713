"""Tests for :mod:`patches.service.name_resolver`."""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.interfaces import IHostnameResolver, IResolutionReceiver
from twisted.internet.protocol import Factory, Protocol
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from patches.service.name_resolver import InterleavingReceiver, NameResolver, interleaved, use_own_resolver
from tests.processes import running
from tests.sources.memory_reactor import PluggableReactor


@implementer(IResolutionReceiver)
class Received:
    """Notes the addresses that it receives."""

    def __init__(self) -> None:
        self.hosts: list[str] = []
        self.is_over = False

    def resolutionBegan(self, resolutionInProgress: Any) -> None:
        """Begin."""

    def addressResolved(self, address: Any) -> None:
        """Note an address."""
        self.hosts.append(address.host)

    def resolutionComplete(self) -> None:
        """Note the end."""
        self.is_over = True


class ResolverTests(SynchronousTestCase):
    """Names and literal addresses."""

    def test_literal(self) -> None:
        """A literal address is its own result, at once, also if the system would not answer."""
        resolver = NameResolver(PluggableReactor())
        verifyObject(IHostnameResolver, resolver)
        for host in ("127.0.0.1", "::1"):
            received = Received()
            resolver.resolveHostName(received, host, 80)
            self.assertEqual((received.hosts, received.is_over), ([host], True))

    def test_interleaved(self) -> None:
        """Each family has its turn, and the system's first choice is the first."""
        received = Received()
        receiver = InterleavingReceiver(received)
        verifyObject(IResolutionReceiver, receiver)
        receiver.resolutionBegan(None)
        for host in ("2001:db8::1", "2001:db8::2", "2001:db8::3"):
            receiver.addressResolved(IPv6Address("TCP", host, 80))
        receiver.addressResolved(IPv4Address("TCP", "192.0.2.1", 80))
        self.assertEqual(received.hosts, [])
        receiver.resolutionComplete()
        self.assertEqual(received.hosts, ["2001:db8::1", "192.0.2.1", "2001:db8::2", "2001:db8::3"])
        self.assertEqual(interleaved(["ab", "", "cde"]), ["a", "c", "b", "d", "e"])

    def test_falls_back(self) -> None:
        """A host with addresses of IPv6 that do not answer, and one of IPv4 that does, is reached within a second."""
        reactor = PluggableReactor()
        addresses = [(socket.AF_INET6, f"2001:db8::{n}") for n in range(1, 9)] + [(socket.AF_INET, "192.0.2.1")]

        def resolve(receiver: Any, host: str, portNumber: int = 0, *_: Any) -> None:
            through = InterleavingReceiver(receiver)
            through.resolutionBegan(None)
            for family, address in addresses:
                kind = IPv6Address if family == socket.AF_INET6 else IPv4Address
                through.addressResolved(kind("TCP", address, portNumber))
            through.resolutionComplete()

        self.patch(reactor.nameResolver, "resolveHostName", resolve)
        connecting = HostnameEndpoint(reactor, "patches.example", 80).connect(Factory.forProtocol(Protocol))
        reactor.pump([0.1] * 9)
        tried = {host: factory for host, _, factory, *_ in reactor.tcpClients}
        self.assertIn("192.0.2.1", tried)
        tried["192.0.2.1"].buildProtocol(None).makeConnection(None)
        self.successResultOf(connecting)

    def test_other_reactors(self) -> None:
        """A reactor that resolves no names is left alone."""
        use_own_resolver(object())

    def test_end(self) -> None:
        """A program ends while a name is looked up, whatever the name servers do."""
        code = (
            "import socket, time; from twisted.internet import reactor; from twisted.internet import _resolver\n"
            "from patches.service.name_resolver import use_own_resolver\n"
            "from twisted.internet.endpoints import HostnameEndpoint\n"
            "from twisted.internet.protocol import Factory, Protocol\n"
            "_resolver.GAIResolver.__init__.__defaults__ = (None, lambda *_: time.sleep(60))\n"
            "use_own_resolver(reactor)\n"
            "HostnameEndpoint(reactor, 'x.example', 1).connect(Factory.forProtocol(Protocol))\n"
            "reactor.callLater(0.2, reactor.stop)\n"
            "reactor.run()\n"
        )
        with running([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True) as process:
            _, errors = process.communicate(timeout=20)
        self.assertEqual((process.returncode, errors), (0, ""))
