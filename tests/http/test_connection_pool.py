"""Tests for :mod:`patches.http.connection_pool`."""

from __future__ import annotations

from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.testing import EventLoggingObserver
from twisted.logger import formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from patches.http.connection_pool import QuietEndpoint
from patches.scanner.client.http_client import http_client
from patches.sources.fetch.access import Access
from patches.sources.fetch.agent import pooled_agent
from patches.sources.fetch.proxies import Proxies
from tests.sources.memory_reactor import ResolvingReactor


class QuietTests(SynchronousTestCase):
    """Requests over the agents of all programs."""

    def setUp(self) -> None:
        self.reactor = ResolvingReactor()

    def logged_of_connection(self) -> list[str]:
        """Connect as a reactor does, with its factory started and stopped. Return the lines that are logged."""
        observer = EventLoggingObserver.createWithCleanup(self, globalLogPublisher)
        factory = self.reactor.tcpClients[-1][2]
        factory.doStart()
        _, transport = self.reactor.accept()
        self.assertNotEqual(transport.value(), b"")
        factory.doStop()
        return [str(formatEvent(event)) for event in observer]

    def test_interface(self) -> None:
        """The wrapper is an endpoint."""
        verifyObject(IStreamClientEndpoint, QuietEndpoint(HostnameEndpoint(self.reactor, "x.test", 80)))

    def test_scanner(self) -> None:
        """A request of a scanner logs no line about its connection."""
        for url in ("http://server.test/", "https://server.test/"):
            http_client(self.reactor).get(url)
            self.assertEqual(self.logged_of_connection(), [])

    def test_server(self) -> None:
        """A request to a source logs no line about its connection, be it direct, by a proxy or through a tunnel."""
        for proxies in ({}, {"HTTP_PROXY": "http://proxy.test", "HTTPS_PROXY": "http://proxy.test"}):
            agent = pooled_agent(self.reactor, 2, 60.0, Access(Proxies.from_environment(proxies)))
            for url in (b"http://feeds.test/a", b"https://feeds.test/a"):
                agent.request(b"GET", url)
                self.assertEqual(self.logged_of_connection(), [])
