"""Tests for :mod:`patches.http.urls`."""

from __future__ import annotations

from typing import Any

from treq.client import HTTPClient
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import URI, Agent, BrowserLikePolicyForHTTPS
from twisted.web.iweb import IAgentEndpointFactory
from zope.interface.verify import verifyObject

from patches.http.access.routed_agent import RoutedEndpoints, Routes
from patches.http.urls import bare_host, request_url
from patches.service.name_resolver import NameResolver
from tests.sources.memory_reactor import PluggableReactor


class Transport(StringTransport):
    """A transport of TCP."""

    def setTcpNoDelay(self, enabled: bool) -> None:
        """Ignore an option."""


class NotedPolicy(BrowserLikePolicyForHTTPS):
    """A policy that notes for which hosts it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[bytes, int]] = []

    def creatorForNetloc(self, hostname: bytes, port: int) -> Any:
        """Note a host."""
        self.asked.append((hostname, port))
        return super().creatorForNetloc(hostname, port)


class UrlTests(SynchronousTestCase):
    """URLs with literal addresses."""

    def setUp(self) -> None:
        self.reactor = PluggableReactor()
        self.reactor.installNameResolver(NameResolver(self.reactor))
        self.policy = NotedPolicy()
        endpoints = RoutedEndpoints(self.reactor, Routes(policy=self.policy), 10.0)
        verifyObject(IAgentEndpointFactory, endpoints)
        self.http = HTTPClient(Agent.usingEndpointFactory(self.reactor, endpoints))

    def test_converted(self) -> None:
        """treq makes of a URL with an address that same URL; one with a name is not converted."""
        for url in ("http://[::1]:8080/v1/x?a=b&c", "https://[2001:db8::1]/", "http://[::ffff:192.0.2.1]:81/a%20b"):
            converted: Any = request_url(url)
            self.assertEqual(converted.to_uri().to_text(), url)
        for url in ("http://server:8080/a", "https://192.0.2.1/", "http://server/a[0]"):
            self.assertIs(request_url(url), url)

    def test_path(self) -> None:
        """A path and a query that are not ASCII are encoded beside an address, too."""
        converted: Any = request_url("http://[::1]/grün?ä=ö")
        self.assertEqual(converted.to_uri().to_text(), "http://[::1]/gr%C3%BCn?%C3%A4=%C3%B6")

    def test_bare(self) -> None:
        """The host of a URI is without brackets."""
        for url, host, port in (
            (b"http://[::1]:8080/x", "::1", 8080),
            (b"https://[2001:db8::8080]/x", "2001:db8::8080", 443),
            (b"http://server:80/", "server", 80),
        ):
            uri = URI.fromBytes(url)
            self.assertEqual((bare_host(uri.host), uri.port), (host, port))

    def test_request(self) -> None:
        """A request is sent to the address; ``Host`` has the brackets."""
        for url, port, host in (
            ("http://[::1]:8080/v1/x?a=b", 8080, b"[::1]:8080"),
            ("http://[2001:db8::7]/v1/x?a=b", 80, b"[2001:db8::7]"),
        ):
            self.http.get(request_url(url))
            address, connected, factory, *_ = self.reactor.tcpClients[-1]
            self.assertEqual((f"[{address}]", connected), (host.decode().partition("]")[0] + "]", port))
            protocol, transport = factory.buildProtocol(None), Transport()
            protocol.makeConnection(transport)
            sent = transport.value()
            self.assertTrue(sent.startswith(b"GET /v1/x?a=b HTTP/1.1\r\n"), sent)
            self.assertIn(b"\r\nHost: " + host + b"\r\n", sent)

    def test_tls(self) -> None:
        """A certificate must be for the address."""
        self.http.get(request_url("https://[2001:db8::7]:8443/"))
        self.assertEqual(self.policy.asked, [(b"2001:db8::7", 8443)])
        self.assertEqual(self.reactor.tcpClients[-1][:2], ("2001:db8::7", 8443))
