"""A pool of connections of HTTP clients that logs nothing about its connections."""

from __future__ import annotations

from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.web.client import HTTPConnectionPool
from zope.interface import implementer


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
    """A pool whose connections are made quietly."""

    def getConnection(self, key: Any, endpoint: IStreamClientEndpoint) -> Deferred[Any]:
        """Return an idle connection, or a new one."""
        connecting: Deferred[Any] = super().getConnection(key, QuietEndpoint(endpoint))
        return connecting
