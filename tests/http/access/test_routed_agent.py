"""Tests for :mod:`patches.http.access.routed_agent`."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent, IAgentEndpointFactory, IResponse
from zope.interface.verify import verifyObject

from patches.http.access.proxies import Proxies
from patches.http.access.routed_agent import RoutedEndpoints, RoutingAgent, pooled_agent
from patches.sources.fetch.access import Access
from tests.sources.memory_reactor import ResolvingReactor

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class AgentTests(SynchronousTestCase):
    """An agent, and the connections that it requests."""

    def setUp(self) -> None:
        self.reactor = ResolvingReactor()

    def agent(self, **environment: str) -> IAgent:
        """Create an agent with the proxies of an environment."""
        return pooled_agent(self.reactor, 2, 60.0, Access(Proxies.from_environment(environment)))

    def ask(self, agent: IAgent, url: bytes, headers: Headers | None = None) -> Deferred[IResponse]:
        """Send a request."""
        return agent.request(b"GET", url, headers)

    def test_interfaces(self) -> None:
        """The agents and the endpoints are what Twisted expects."""
        agent = self.agent(HTTP_PROXY="http://proxy.test")
        self.assertIsInstance(agent, RoutingAgent)
        verifyObject(IAgent, agent)
        verifyObject(IAgentEndpointFactory, RoutedEndpoints(self.reactor, Access(), 60.0))

    def test_direct(self) -> None:
        """Without a proxy the server is connected directly, and the path is requested of it."""
        self.ask(self.agent(), b"http://feeds.test:8080/a?b")
        self.assertEqual(self.reactor.connections(), [("feeds.test", 8080)])
        _, transport = self.reactor.accept()
        self.assertTrue(transport.value().startswith(b"GET /a?b HTTP/1.1\r\n"), transport.value())

    def test_plain_by_proxy(self) -> None:
        """A plain request is sent to the proxy with its whole URL, and with the credentials of the proxy."""
        headers = Headers({b"X": [b"y"]})
        self.ask(self.agent(HTTP_PROXY="http://me:secret@proxy.test:3128"), b"http://feeds.test/a", headers)
        self.assertEqual(self.reactor.connections(), [("proxy.test", 3128)])
        _, transport = self.reactor.accept()
        self.assertTrue(transport.value().startswith(b"GET http://feeds.test/a HTTP/1.1\r\n"), transport.value())
        self.assertIn(b"\r\nProxy-Authorization: Basic bWU6c2VjcmV0\r\n", transport.value())
        self.assertIn(b"\r\nX: y\r\n", transport.value())
        self.assertEqual(list(headers.getAllRawHeaders()), [(b"X", [b"y"])])

    def test_without_path(self) -> None:
        """A URL without a path is sent to a proxy with one."""
        self.ask(self.agent(HTTP_PROXY="http://proxy.test:3128"), b"http://feeds.test")
        _, transport = self.reactor.accept()
        self.assertTrue(transport.value().startswith(b"GET http://feeds.test/ HTTP/1.1\r\n"), transport.value())

    def test_tunnel(self) -> None:
        """An encrypted connection is tunnelled through the proxy: the server's name is resolved by the proxy."""
        self.ask(self.agent(HTTPS_PROXY="http://me:secret@proxy.test:3128"), b"https://feeds.test/a")
        self.assertEqual(self.reactor.connections(), [("proxy.test", 3128)])
        _, transport = self.reactor.accept()
        self.assertTrue(transport.value().startswith(b"CONNECT feeds.test:443 HTTP/1.1\r\n"), transport.value())
        self.assertIn(b"\r\nProxy-Authorization: Basic bWU6c2VjcmV0\r\n", transport.value())

    def test_each_scheme(self) -> None:
        """A proxy for one scheme is not used for the other."""
        self.ask(self.agent(HTTP_PROXY="http://proxy.test"), b"https://feeds.test/a")
        self.assertEqual(self.reactor.connections(), [("feeds.test", 443)])
        self.ask(self.agent(HTTPS_PROXY="http://proxy.test"), b"http://other.test/a")
        self.assertEqual(self.reactor.connections()[1:], [("other.test", 80)])

    def test_exceptions(self) -> None:
        """A server that is excepted is connected directly, and the credentials of the proxy are not sent to it."""
        proxies = {"HTTP_PROXY": "http://me:secret@proxy.test", "NO_PROXY": "feeds.test"}
        self.ask(self.agent(**proxies), b"http://feeds.test/a")
        self.assertEqual(self.reactor.connections(), [("feeds.test", 80)])
        _, transport = self.reactor.accept()
        self.assertNotIn(b"Proxy-Authorization", transport.value())

    def test_encrypted_proxy(self) -> None:
        """The connection to a proxy with an https URL is encrypted before anything is sent."""
        self.ask(self.agent(HTTP_PROXY="https://me:secret@proxy.test"), b"http://feeds.test/a")
        self.assertEqual(self.reactor.connections(), [("proxy.test", 443)])
        _, transport = self.reactor.accept()
        self.assertEqual(transport.value()[:1], b"\x16")
        self.assertNotIn(b"feeds.test/a", transport.value())

    def test_kept_alive(self) -> None:
        """A connection is used again by the next request to the same server."""
        agent = self.agent()
        first = self.ask(agent, b"http://feeds.test/a")
        protocol, transport = self.reactor.accept()
        protocol.dataReceived(ANSWER)
        self.assertEqual(self.successResultOf(first).code, 200)
        transport.clear()
        self.ask(agent, b"http://feeds.test/b")
        self.assertEqual(self.reactor.connections(), [("feeds.test", 80)])
        self.assertTrue(transport.value().startswith(b"GET /b HTTP/1.1\r\n"), transport.value())

    def test_connect_seconds(self) -> None:
        """The given time limits each connection."""
        self.ask(self.agent(), b"http://feeds.test/a")
        self.assertEqual(self.reactor.tcpClients[0][3], 60.0)
