"""
Resolution of names in threads of its own, which no end of a program waits for.

``getaddrinfo`` cannot be interrupted, and takes half a minute and more if no name server answers. Twisted looks up
every host in the threads of the reactor, literal addresses too, and joins these threads at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import chain, zip_longest
from threading import Thread
from typing import Any

from attrs import define, field
from twisted.internet._resolver import GAIResolver, HostResolution
from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import (
    IAddress,
    IHostnameResolver,
    IHostResolution,
    IReactorPluggableNameResolver,
    IResolutionReceiver,
)
from twisted.python.threadpool import ThreadPool
from zope.interface import implementer

#: How many names are looked up at once; each has a thread, which is made when it is needed.
MOST_LOOKUPS = 8


@implementer(IResolutionReceiver)
@define(eq=False)
class InterleavingReceiver:
    """
    Passes addresses on so that each family has its turn, in the order in which the system prefers them.

    A client that tries them in turn then needs two attempts, and not as many as a host has addresses of a family that
    does not work here. Source: RFC 8305 (Happy Eyeballs), section 4.

    :param receiver: receives the addresses.
    """

    _receiver: Any
    _found: dict[type, list[IAddress]] = field(factory=dict)

    def resolutionBegan(self, resolutionInProgress: IHostResolution) -> None:
        """Pass it on."""
        self._receiver.resolutionBegan(resolutionInProgress)

    def addressResolved(self, address: IAddress) -> None:
        """Keep an address."""
        self._found.setdefault(type(address), []).append(address)

    def resolutionComplete(self) -> None:
        """Pass on the addresses, then the end."""
        for address in interleaved(self._found.values()):
            self._receiver.addressResolved(address)
        self._receiver.resolutionComplete()


def interleaved(groups: Iterable[Sequence[Any]]) -> list[Any]:
    """Return the items of groups: the first one of each, then the second one of each, and so on."""
    return [item for item in chain.from_iterable(zip_longest(*groups)) if item is not None]


@implementer(IHostnameResolver)
class NameResolver:
    """
    A resolver that looks up names in threads of its own; a literal address needs none.

    :param reactor: receives the results.
    """

    def __init__(self, reactor: Any) -> None:
        pool = ThreadPool(0, MOST_LOOKUPS, "names")
        pool.threadFactory = partial(Thread, daemon=True)  # type: ignore[assignment]  # the interpreter joins no daemon
        pool.start()
        self._by_system = GAIResolver(reactor, lambda: pool)

    def resolveHostName(
        self,
        resolutionReceiver: IResolutionReceiver,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type[IAddress]] | None = None,
        transportSemantics: str = "TCP",
    ) -> IHostResolution:
        """Resolve a host."""
        literal = _literal(hostName, portNumber, transportSemantics)
        if literal is None or (addressTypes is not None and type(literal) not in addressTypes):
            receiver = InterleavingReceiver(resolutionReceiver)
            return self._by_system.resolveHostName(receiver, hostName, portNumber, addressTypes, transportSemantics)
        resolution = HostResolution(hostName)
        resolutionReceiver.resolutionBegan(resolution)
        resolutionReceiver.addressResolved(literal)
        resolutionReceiver.resolutionComplete()
        return resolution


def _literal(host: str, port: int, kind: Any) -> IAddress | None:
    """Return the address that a host is by itself; ``None``: it is a name."""
    if isIPAddress(host):
        return IPv4Address(kind, host, port)
    if isIPv6Address(host) and "%" not in host:
        return IPv6Address(kind, host, port)
    return None


def use_own_resolver(reactor: Any) -> None:
    """Resolve the names of a reactor in threads of their own, if it is one that resolves names."""
    if IReactorPluggableNameResolver.providedBy(reactor):
        reactor.installNameResolver(NameResolver(reactor))
