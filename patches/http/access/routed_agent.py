"""Agents that reach servers directly or by a proxy: plain requests are sent to the proxy, encrypted ones tunnelled."""

from __future__ import annotations

from typing import Any

from attrs import field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.web.client import URI, Agent, ProxyAgent
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent, IAgentEndpointFactory, IBodyProducer, IPolicyForHTTPS, IResponse
from zope.interface import implementer

from patches.http.access.certificates import TrustPolicy
from patches.http.access.proxies import Proxies, Proxy
from patches.http.access.tunnels import TunnelEndpoint
from patches.http.connection_pool import QuietConnectionPool
from patches.http.urls import bare_host

#: How many endpoints an agent keeps: it asks for one with each request, also if that has a connection already.
_MOST_ENDPOINTS = 64


@frozen
class Routes:
    """
    The ways of a client to servers.

    :ivar policy: the certificates to trust; by default those of the system.
    """

    proxies: Proxies = field(factory=Proxies)
    policy: IPolicyForHTTPS = field(factory=TrustPolicy)

    def guarded(self, reactor: Any, host: str) -> Any:
        """Return the reactor that connects to a host directly."""
        return reactor


@implementer(IAgentEndpointFactory)
@frozen
class RoutedEndpoints:
    """
    The endpoints of servers to which a client speaks as if it were connected directly.

    :ivar seconds: the longest time to connect, and for the proxy's response to ``CONNECT``.
    """

    reactor: Any
    routes: Routes
    seconds: float
    _made: dict[tuple[bytes, bytes, int], IStreamClientEndpoint] = field(factory=dict)

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:
        """Return an endpoint that connects to a server, through a tunnel if a proxy leads to it."""
        place = uri.scheme, uri.host, uri.port
        if place not in self._made:
            if len(self._made) == _MOST_ENDPOINTS:
                self._made.clear()
            host, is_secure = bare_host(uri.host), uri.scheme == b"https"
            way = self.unencrypted(uri.scheme.decode("ascii"), host, uri.port)
            self._made[place] = self._encrypted(way, host.encode("ascii"), uri.port) if is_secure else way
        return self._made[place]

    def unencrypted(self, scheme: str, host: str, port: int) -> IStreamClientEndpoint:
        """
        Return an endpoint whose bytes are sent to a server as they are, through a tunnel if a proxy leads to it.

        :param scheme: decides about the proxy.
        """
        proxy = self.routes.proxies.proxy_for(scheme, host, port)
        if proxy is None:
            return HostnameEndpoint(self.routes.guarded(self.reactor, host), host, port, timeout=self.seconds)
        return TunnelEndpoint(self.endpoint_of(proxy), host, port, proxy.authorization, self.reactor, self.seconds)

    def endpoint_of(self, proxy: Proxy) -> IStreamClientEndpoint:
        """Return an endpoint that connects to a proxy."""
        way = HostnameEndpoint(self.reactor, proxy.host, proxy.port, timeout=self.seconds)
        return self._encrypted(way, proxy.host.encode("ascii"), proxy.port) if proxy.encrypted else way

    def _encrypted(self, way: IStreamClientEndpoint, host: bytes, port: int) -> IStreamClientEndpoint:
        wrapped: IStreamClientEndpoint = wrapClientTLS(self.routes.policy.creatorForNetloc(host, port), way)
        return wrapped


@implementer(IAgent)
@frozen
class RoutingAgent:
    """
    An agent that sends plain HTTP requests to a proxy where one leads to the server.

    :ivar agent: sends all other requests.
    :ivar plain: sends requests to the proxy.
    """

    routes: Routes
    agent: IAgent
    proxy: Proxy
    plain: IAgent

    def request(
        self, method: bytes, uri: bytes, headers: Headers | None = None, bodyProducer: IBodyProducer | None = None
    ) -> Deferred[IResponse]:
        """Send a request."""
        parsed = URI.fromBytes(uri)
        scheme, host = parsed.scheme.decode("ascii"), bare_host(parsed.host)
        if scheme == "https" or self.routes.proxies.proxy_for(scheme, host, parsed.port) is None:
            return self.agent.request(method, uri, headers, bodyProducer)
        if self.proxy.authorization is not None:
            headers = headers.copy() if headers is not None else Headers()
            headers.setRawHeaders(b"Proxy-Authorization", [self.proxy.authorization])
        if not parsed.path:  # a proxy need not add it, as RFC 9112 has the client send it in the other form
            parsed.path = b"/"
        return self.plain.request(method, parsed.toBytes(), headers, bodyProducer)


def pooled_agent(reactor: Any, connections: int, connect_seconds: float, routes: Routes) -> IAgent:
    """
    Create an agent that reuses its connections.

    :param connections: the number of idle connections that are kept per server.
    :param connect_seconds: the longest time to connect.
    """
    pool = QuietConnectionPool(reactor)
    pool.maxPersistentPerHost = connections
    endpoints = RoutedEndpoints(reactor, routes, connect_seconds)
    agent: IAgent = Agent.usingEndpointFactory(reactor, endpoints, pool)
    proxy = routes.proxies.http
    if proxy is None:
        return agent
    plain: IAgent = ProxyAgent(endpoints.endpoint_of(proxy), reactor, pool)
    return RoutingAgent(routes, agent, proxy, plain)
