"""The address that a request comes from: the peer's, or what a trusted proxy says of it."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from twisted.web.iweb import IRequest

IPNetwork = IPv4Network | IPv6Network
#: A host often has all addresses of such a network to choose from.
_IPV6_PREFIX = 64


class ClientAddresses:
    """
    Finds the addresses that requests come from.

    :param trusted: the networks of proxies whose ``X-Forwarded-For`` is believed. A proxy that speaks the PROXY
        protocol needs no entry: its endpoint gives the address of the client.
    """

    def __init__(self, trusted: Iterable[IPNetwork] = ()) -> None:
        self._trusted = tuple(trusted)

    def owner(self, request: IRequest) -> str:
        """
        Return the address of a request's client, of IPv6 its network; empty if it has none, as over a socket file.

        Of the addresses in ``X-Forwarded-For``, which any client can send, the last one counts that no trusted proxy
        has: that is what the first trusted proxy has seen.
        """
        peer = _address(getattr(request.getClientAddress(), "host", None) or "")
        if peer is not None and self._is_trusted(peer):
            names = (request.getHeader("X-Forwarded-For") or "").split(",")
            for name in reversed(names):
                address = _address(name)
                if address is None:
                    break
                peer = address
                if not self._is_trusted(address):
                    break
        return _owner(peer)

    def _is_trusted(self, address: IPv4Address | IPv6Address) -> bool:
        return any(address in network for network in self._trusted)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """Parse an address, also with a port or in brackets, as some proxies write it."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _owner(address: IPv4Address | IPv6Address | None) -> str:
    if isinstance(address, IPv6Address):
        return str(ip_network((address, _IPV6_PREFIX), strict=False))
    return str(address) if address is not None else ""
