"""Agents that keep treq from what it does to content codings by itself: it asks for gzip, and unpacks it."""

from __future__ import annotations

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent, IBodyProducer, IResponse
from zope.interface import implementer


@implementer(IAgent)
@frozen
class FirstEncoding:
    """
    An agent that sends the first ``Accept-Encoding`` it is given, and no other.

    treq always adds its own, which asks for compression. Clair reads the first line only, but a proxy in front of it
    may read both.
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
class UndecodedAgent:
    """
    An agent whose bodies treq returns as they were sent.

    So a compressed file is stored as it is, and can be resumed; and nothing is unpacked before its size and its digest
    were looked at. treq decompresses a body, several times over, while ``Content-Encoding`` ends with ``gzip``, so
    ``identity`` is appended to it.
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
