"""Connections to HTTP servers: few, kept alive, and with compression only where it is requested."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen
from treq.client import HTTPClient
from twisted.internet.defer import Deferred
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent, IBodyProducer, IResponse
from zope.interface import implementer

from patches.http.access.routed_agent import pooled_agent
from patches.http.codings import FirstEncoding, UndecodedAgent
from patches.sources.fetch.access import Access


@implementer(IAgent)
@frozen
class WithHeaders:
    """An agent that sends additional headers, replacing those of the same name."""

    agent: IAgent
    headers: Mapping[str, str]

    def request(
        self, method: bytes, uri: bytes, headers: Headers | None = None, bodyProducer: IBodyProducer | None = None
    ) -> Deferred[IResponse]:
        """Send a request."""
        headers = headers.copy() if headers is not None else Headers()
        for name, value in self.headers.items():
            headers.setRawHeaders(name, [value])
        return self.agent.request(method, uri, headers, bodyProducer)


def verbatim_client(agent: IAgent) -> HTTPClient:
    """Create a treq client that requests no compression and decompresses nothing."""
    return HTTPClient(UndecodedAgent(FirstEncoding(agent)))


def pooled_client(reactor: Any, connections: int, connect_seconds: float, access: Access | None = None) -> HTTPClient:
    """
    Create a treq client that reuses its connections, for a server without redirects.

    :param connections: the number of idle connections that are kept per server.
    :param connect_seconds: the longest time to connect.
    :param access: its headers are sent with each request.
    """
    access = access or Access()
    agent: IAgent = FirstEncoding(pooled_agent(reactor, connections, connect_seconds, access))
    return HTTPClient(WithHeaders(agent, access.headers) if access.headers else agent)
