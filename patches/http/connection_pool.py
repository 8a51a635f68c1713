"""A pool of connections of HTTP clients that logs nothing about them, and bounds the heads of responses."""

from __future__ import annotations

from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.python.failure import Failure
from twisted.web._newclient import HEADER, STATUS, HTTP11ClientProtocol
from twisted.web.client import HTTPConnectionPool, _HTTP11ClientFactory
from zope.interface import implementer

#: The most bytes before the body of a response, informational responses included.
MAX_HEAD_BYTES = 256 * 1024


class HeadTooLong(Exception):
    """The head of a response is too long."""


class BoundedHeadProtocol(HTTP11ClientProtocol):
    """A client's connection that is closed if a response has a head without end."""

    _head_bytes = 0

    def dataReceived(self, data: bytes) -> None:
        """Count what comes before a body."""
        if self._parser is None or self._parser.state not in (STATUS, HEADER):
            self._head_bytes = 0
        else:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._giveUp(Failure(HeadTooLong(f"a response has more than {MAX_HEAD_BYTES} bytes of header fields")))
                return
        super().dataReceived(data)


class _BoundedHeadFactory(_HTTP11ClientFactory):
    def buildProtocol(self, addr: Any) -> HTTP11ClientProtocol:
        return BoundedHeadProtocol(self._quiescentCallback)


@implementer(IStreamClientEndpoint)
@frozen
class QuietEndpoint:
    """An endpoint whose factories do not log that they start and stop, which a client would do at each connection."""

    endpoint: IStreamClientEndpoint

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """Connect."""
        factory: Any = protocolFactory
        factory.noisy = False
        connecting: Deferred[IProtocol] = self.endpoint.connect(factory)
        return connecting


class QuietConnectionPool(HTTPConnectionPool):
    """A pool whose connections are made quietly, and have bounded heads."""

    _factory = _BoundedHeadFactory

    def getConnection(self, key: Any, endpoint: IStreamClientEndpoint) -> Deferred[Any]:
        """Return an idle connection, or a new one."""
        connecting: Deferred[Any] = super().getConnection(key, QuietEndpoint(endpoint))
        return connecting
