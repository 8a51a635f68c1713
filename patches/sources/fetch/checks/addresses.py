"""
Addresses that a source's redirects may lead to: those that are as public as the source's own.

Theory of operation. A redirect to an address of this host, of its link or of a private network would let a stranger's
server send requests where only this host can. So each connection to a server that is not in a source's configuration is
judged by its address, when it is made: after the name was resolved, with each address that is tried. What matters is
how near the address is: a source at a private address may redirect to private and to public ones, but not to this host.
Through a proxy, the proxy decides.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from attrs import define, field
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import IHostnameResolver, IReactorPluggableNameResolver
from zope.interface import implementer

#: NAT64: an IPv4 address in the last 32 bits (RFC 6052, section 2.1).
_NAT64 = IPv6Network("64:ff9b::/96")
#: IPv4-compatible addresses, deprecated, in which some stacks read the last 32 bits too (RFC 4291, section 2.5.5.1).
_COMPATIBLE = IPv6Network("::/96")
#: Special-purpose networks of IANA's registries that older versions of Python take for public (CVE-2024-4032).
_SPECIAL = tuple(map(ip_network, ("192.0.0.0/24", "64:ff9b:1::/48", "3fff::/20", "5f00::/16")))


class Nearness(IntEnum):
    """The nearness of an address to this host: the larger, the fewer others can reach it."""

    PUBLIC = 0
    PRIVATE = 1
    LINK_LOCAL = 2
    LOOPBACK = 3


class AddressForbidden(ConnectError):
    """
    A connection that was not made, because of its address.

    :ivar reason: in words.
    """

    def __init__(self, host: str, nearness: Nearness) -> None:
        kind = {
            Nearness.LOOPBACK: "a loopback address",
            Nearness.LINK_LOCAL: "a link-local address",
            Nearness.PRIVATE: "a private or reserved address",
        }[nearness]
        self.reason = f"it leads to {host}, {kind}, which only a source that has one itself may lead to"
        super().__init__(string=self.reason)


def nearness_of(host: str) -> Nearness:
    """
    Return how near an address is.

    What is public is decided by :attr:`ipaddress.IPv4Address.is_global`, after the special-purpose registries of IANA.
    That leaves multicast addresses, and IPv6 addresses that contain an IPv4 one: these are as near as that.

    :param host: an address as a resolver returns it, maybe with a zone.
    :raises ValueError: if it is not an address.
    """
    address = ip_address(host.partition("%")[0])
    contained = _contained(address)
    if contained is not None:
        return nearness_of(str(contained))
    if address.is_loopback or address.is_unspecified:  # Linux connects to itself for 0.0.0.0 and ::
        return Nearness.LOOPBACK
    if address.is_link_local or "%" in host:
        return Nearness.LINK_LOCAL
    special = address.is_multicast or any(address in network for network in _SPECIAL)
    special = special or (isinstance(address, IPv6Address) and address.is_site_local)
    return Nearness.PUBLIC if address.is_global and not special else Nearness.PRIVATE


def _contained(address: IPv4Address | IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that an IPv6 address leads to: mapped, of 6to4, of NAT64, or compatible."""
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


@define(eq=False)
class AddressRules:
    """
    The addresses that one source may lead to.

    :ivar own: the hosts of its configured URLs, in lower case, with the nearness of the address that was last tried.
    """

    own: dict[str, Nearness] = field(factory=dict)

    @classmethod
    def of_hosts(cls, hosts: Iterable[str]) -> AddressRules:
        """Create the rules of a source with URLs of these hosts."""
        return cls({host.lower(): _literal(host) for host in hosts})

    def check(self, host: str, address: str) -> None:
        """
        Check an address before it is connected to.

        :param host: the host of the URL, of which it is an address.
        :raises AddressForbidden: if the source may not lead there.
        """
        nearness = nearness_of(address)
        if host.lower() in self.own:
            self.own[host.lower()] = nearness
        elif nearness > max(self.own.values(), default=Nearness.PUBLIC):
            raise AddressForbidden(host if host == address else f"{host} at {address}", nearness)


def _literal(host: str) -> Nearness:
    try:
        return nearness_of(host)
    except ValueError:
        return Nearness.PUBLIC  # a name, until it is resolved


@implementer(IReactorPluggableNameResolver)
class CheckedReactor:
    """
    The part of a reactor that an endpoint of a host uses; it checks each address before it is connected to.

    :param host: the host of the endpoint.
    """

    def __init__(self, reactor: Any, rules: AddressRules, host: str) -> None:
        self._reactor = reactor
        self._rules = rules
        self._host = host
        self.seconds = reactor.seconds
        self.callLater = reactor.callLater

    @property
    def nameResolver(self) -> IHostnameResolver:
        """The resolver of the reactor."""
        resolver: IHostnameResolver = self._reactor.nameResolver
        return resolver

    def installNameResolver(self, resolver: IHostnameResolver) -> IHostnameResolver:
        """Install a resolver in the reactor."""
        before: IHostnameResolver = self._reactor.installNameResolver(resolver)
        return before

    def connectTCP(self, host: str, port: int, *args: Any, **kwargs: Any) -> Any:
        """
        Connect to an address.

        :raises AddressForbidden: if the source may not lead there.
        """
        self._rules.check(self._host, host)
        return self._reactor.connectTCP(host, port, *args, **kwargs)
