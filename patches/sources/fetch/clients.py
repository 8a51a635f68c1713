"""Connections to HTTP servers: few, kept alive, and asking for compression only where that is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen
from treq.client import HTTPClient
from twisted.internet.defer import Deferred
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent, IBodyProducer, IResponse
from zope.interface import implementer

from patches.sources.fetch.access import Access
from patches.sources.fetch.agent import pooled_agent


@implementer(IAgent)
@frozen
class FirstEncoding:
    """
    An agent that sends the first ``Accept-Encoding`` it is given, and no other.

    treq always adds its own, which asks for compression; a Clair looks at the first line only, but what stands in front
    of it may look at both.
    """

    agent: IAgent

    def request(
        self, method: bytes, uri: bytes, headers: Headers | None = None, bodyProducer: IBodyProducer | None = None
    ) -> Deferred[IResponse]:
        """Send a request."""
        headers = headers.copy() if headers is not None else Headers()
        headers.setRawHeaders(b"Accept-Encoding", (headers.getRawHeaders(b"Accept-Encoding") or [b"identity"])[:1])
        return self.agent.request(method, uri, headers, bodyProducer)


@implementer(IAgent)
@frozen
class WithHeaders:
    """An agent that sends further headers, in place of those of the same name."""

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


@implementer(IAgent)
@frozen
class UndecodedAgent:
    """
    An agent whose bodies treq hands on as they were sent: a file that is compressed is kept so, and can be continued.

    treq unpacks what ends with ``gzip`` in ``Content-Encoding``, so ``identity`` is put behind it.
    """

    agent: IAgent

    def request(
        self, method: bytes, uri: bytes, headers: Headers | None = None, bodyProducer: IBodyProducer | None = None
    ) -> Deferred[IResponse]:
        """Send a request."""
        return self.agent.request(method, uri, headers, bodyProducer).addCallback(_as_sent)


def _as_sent(response: IResponse) -> IResponse:
    if response.headers.hasHeader(b"Content-Encoding"):
        response.headers.addRawHeader(b"Content-Encoding", b"identity")
    return response


def verbatim_client(agent: IAgent) -> HTTPClient:
    """Make a treq client that asks for no compression, and undoes none."""
    return HTTPClient(UndecodedAgent(FirstEncoding(agent)))


def pooled_client(reactor: Any, connections: int, connect_seconds: float, access: Access | None = None) -> HTTPClient:
    """
    Make a treq client whose connections are used again, for a server that is asked for no redirects.

    :param connections: how many idle ones are kept for a server.
    :param connect_seconds: how long a new one may take.
    :param access: its headers are sent with each request.
    """
    access = access or Access()
    agent: IAgent = FirstEncoding(pooled_agent(reactor, connections, connect_seconds, access))
    return HTTPClient(WithHeaders(agent, access.headers) if access.headers else agent)
