"""A reactor in memory that resolves every name, and keeps the connections that are requested of it."""

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import (
    IAddress,
    IHostnameResolver,
    IHostResolution,
    IReactorPluggableNameResolver,
    IResolutionReceiver,
)
from twisted.internet.protocol import Protocol
from twisted.internet.testing import MemoryReactorClock, StringTransport
from zope.interface import implementer

#: The address of every name.
ADDRESS = "192.0.2.1"


class Transport(StringTransport):
    """A transport of TCP that keeps what is written."""

    def setTcpNoDelay(self, enabled: bool) -> None:
        """Ignore an option of TCP."""


@implementer(IHostResolution)
class _Resolution:
    def __init__(self, name: str) -> None:
        self.name = name

    def cancel(self) -> None:
        """Ignore the cancellation: a resolution ends at once."""


@implementer(IReactorPluggableNameResolver, IHostnameResolver)
class ResolvingReactor(MemoryReactorClock):
    """
    A reactor whose names all have the same address.

    :ivar resolved: the names that were resolved, in order.
    """

    def __init__(self) -> None:
        super().__init__()
        self.nameResolver = self
        self.resolved: list[str] = []

    def installNameResolver(self, resolver: IHostnameResolver) -> IHostnameResolver:
        raise NotImplementedError

    def resolveHostName(
        self,
        resolutionReceiver: IResolutionReceiver,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Any = None,
        transportSemantics: str = "TCP",
    ) -> IHostResolution:
        self.resolved.append(hostName)
        resolution = _Resolution(hostName)
        resolutionReceiver.resolutionBegan(resolution)
        address: IAddress = IPv4Address("TCP", ADDRESS, portNumber)
        resolutionReceiver.addressResolved(address)
        resolutionReceiver.resolutionComplete()
        return resolution

    def connections(self) -> list[tuple[str, int]]:
        """Return the names and ports to which connections were requested."""
        return list(zip(self.resolved, [client[1] for client in self.tcpClients], strict=True))

    def accept(self, number: int = -1) -> tuple[Protocol, Transport]:
        """Accept a connection. Return the client's protocol and transport."""
        factory, transport = self.tcpClients[number][2], Transport()
        protocol = factory.buildProtocol(IPv4Address("TCP", ADDRESS, 1))
        protocol.makeConnection(transport)
        return protocol, transport


class NoNames:
    """A resolver that never answers."""

    def resolveHostName(self, *words: Any, **named: Any) -> None:
        """Do nothing."""


@implementer(IReactorPluggableNameResolver)
class PluggableReactor(MemoryReactorClock):
    """A reactor whose resolver can be replaced, as that of the system; Twisted's own in memory lacked it for long."""

    def __init__(self) -> None:
        super().__init__()
        self.nameResolver: Any = NoNames()

    def installNameResolver(self, resolver: IHostnameResolver) -> IHostnameResolver:
        """Replace the resolver. Return the one before."""
        before: IHostnameResolver = self.nameResolver
        self.nameResolver = resolver
        return before
