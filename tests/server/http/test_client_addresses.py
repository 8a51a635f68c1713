"""Tests for :mod:`patches.server.http.client_addresses`."""

from __future__ import annotations

from ipaddress import ip_network

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.test.requesthelper import DummyRequest

from patches.server.http.client_addresses import ClientAddresses

PROXIES = ClientAddresses([ip_network("10.0.0.0/8"), ip_network("::1")])


def owner(peer: str, forwarded: str | None = None, addresses: ClientAddresses = PROXIES) -> str:
    """Return the owner of a request from a peer."""
    request = DummyRequest([b""])
    kind = IPv6Address if ":" in peer else IPv4Address
    request.client = kind("TCP", peer, 4711)
    request.getClientAddress = lambda: request.client
    if forwarded is not None:
        request.requestHeaders.addRawHeader("X-Forwarded-For", forwarded)
    return addresses.owner(request)


class ClientAddressTests(SynchronousTestCase):
    """The address that counts."""

    def test_peer(self) -> None:
        """Without a trusted proxy the peer counts, whatever it sends."""
        self.assertEqual(owner("192.0.2.7"), "192.0.2.7")
        self.assertEqual(owner("192.0.2.7", "198.51.100.1"), "192.0.2.7")
        self.assertEqual(owner("10.1.1.1", "198.51.100.1", ClientAddresses()), "10.1.1.1")

    def test_network(self) -> None:
        """Of IPv6 the network counts, as a host has many addresses; a mapped address is the one of IPv4."""
        self.assertEqual(owner("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64")
        self.assertEqual(owner("::ffff:192.0.2.7"), "192.0.2.7")

    def test_forwarded(self) -> None:
        """Behind trusted proxies the last address counts that none of them has: those before it are the client's."""
        for header, expected in (
            ("198.51.100.1", "198.51.100.1"),
            ("203.0.113.9, 198.51.100.1", "198.51.100.1"),
            ("203.0.113.9, 198.51.100.1, 10.2.2.2", "198.51.100.1"),
            ("10.9.9.9, 10.2.2.2", "10.9.9.9"),
            ("[2001:db8::1]:5000", "2001:db8::/64"),
            ("198.51.100.1:5000", "198.51.100.1"),
            ("nonsense, 10.2.2.2", "10.2.2.2"),
            ("nonsense", "10.1.1.1"),
            ("", "10.1.1.1"),
        ):
            self.assertEqual(owner("10.1.1.1", header), expected, header)

    def test_no_address(self) -> None:
        """A socket file has no addresses."""
        request = DummyRequest([b""])
        request.getClientAddress = lambda: UNIXAddress(None)
        self.assertEqual(PROXIES.owner(request), "")
