"""The ways to servers: directly, or by a proxy, which is asked for what is not encrypted and tunnelled for what is."""

from __future__ import annotations

from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.web.client import URI, Agent, HTTPConnectionPool, ProxyAgent
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent, IAgentEndpointFactory, IBodyProducer, IResponse
from zope.interface import implementer

from patches.sources.fetch.access import Access
from patches.sources.fetch.proxies import Proxy
from patches.sources.fetch.tunnels import TunnelEndpoint


@implementer(IAgentEndpointFactory)
@frozen
class RoutedEndpoints:
    """
    The endpoints of servers to which a client speaks as if it were connected directly.

    :ivar seconds: how long a connection may take, and the answer of a proxy that makes one.
    """

    reactor: Any
    access: Access
    seconds: float

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:
        """Give the way to a server."""
        host = uri.host.decode("ascii")
        proxy = self.access.proxies.proxy_for(uri.scheme.decode("ascii"), host, uri.port)
        if proxy is None:
            way: IStreamClientEndpoint = HostnameEndpoint(self.reactor, host, uri.port, timeout=self.seconds)
        else:
            way = TunnelEndpoint(
                self.endpoint_of(proxy), host, uri.port, proxy.authorization, self.reactor, self.seconds
            )
        return self._encrypted(way, uri.host, uri.port) if uri.scheme == b"https" else way

    def endpoint_of(self, proxy: Proxy) -> IStreamClientEndpoint:
        """Give the way to a proxy."""
        way = HostnameEndpoint(self.reactor, proxy.host, proxy.port, timeout=self.seconds)
        return self._encrypted(way, proxy.host.encode("ascii"), proxy.port) if proxy.encrypted else way

    def _encrypted(self, way: IStreamClientEndpoint, host: bytes, port: int) -> IStreamClientEndpoint:
        wrapped: IStreamClientEndpoint = wrapClientTLS(self.access.policy.creatorForNetloc(host, port), way)
        return wrapped


@implementer(IAgent)
@frozen
class RoutingAgent:
    """
    An agent that asks a proxy for what is not encrypted, where one leads to it.

    :ivar agent: for all else.
    :ivar plain: asks the proxy.
    """

    access: Access
    agent: IAgent
    proxy: Proxy
    plain: IAgent

    def request(
        self, method: bytes, uri: bytes, headers: Headers | None = None, bodyProducer: IBodyProducer | None = None
    ) -> Deferred[IResponse]:
        """Send a request."""
        parsed = URI.fromBytes(uri)
        scheme, host = parsed.scheme.decode("ascii"), parsed.host.decode("ascii")
        if scheme == "https" or self.access.proxies.proxy_for(scheme, host, parsed.port) is None:
            return self.agent.request(method, uri, headers, bodyProducer)
        if self.proxy.authorization is not None:
            headers = headers.copy() if headers is not None else Headers()
            headers.setRawHeaders(b"Proxy-Authorization", [self.proxy.authorization])
        return self.plain.request(method, uri, headers, bodyProducer)


def pooled_agent(reactor: Any, connections: int, connect_seconds: float, access: Access) -> IAgent:
    """
    Make an agent whose connections are used again.

    :param connections: how many idle ones are kept for a server.
    :param connect_seconds: how long a new one may take.
    """
    pool = HTTPConnectionPool(reactor)
    pool.maxPersistentPerHost = connections
    routes = RoutedEndpoints(reactor, access, connect_seconds)
    agent: IAgent = Agent.usingEndpointFactory(reactor, routes, pool)
    proxy = access.proxies.http
    if proxy is None:
        return agent
    plain: IAgent = ProxyAgent(routes.endpoint_of(proxy), reactor, pool)
    return RoutingAgent(access, agent, proxy, plain)
