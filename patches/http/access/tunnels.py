"""Tunnels through HTTP proxies: an endpoint that connects to a server by asking a proxy to (``CONNECT``)."""

from __future__ import annotations

import re
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IReactorTime, IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from patches.http.connection_pool import QuietEndpoint

_MAX_HEAD = 64 * 1024
_STATUS = re.compile(rb"HTTP/1\.\d (\d{3})(?:[ \r]|\Z)")


class TunnelRefused(ConnectError):
    """
    A proxy that did not connect.

    :ivar status: the status of its response; ``None``: no HTTP response.
    """

    def __init__(self, reason: str, status: int | None = None) -> None:
        super().__init__(string=reason)
        self.reason = reason
        self.status = status


@implementer(IStreamClientEndpoint)
@frozen
class TunnelEndpoint:
    """
    A server behind a proxy.

    :ivar proxy: connects to the proxy.
    :ivar host: the server, by the name that is sent to the proxy.
    :ivar authorization: the value of ``Proxy-Authorization``; ``None`` if the proxy does not require it.
    :ivar seconds: the longest time for the response of the connected proxy.
    """

    proxy: IStreamClientEndpoint
    host: str
    port: int
    authorization: str | None
    clock: IReactorTime
    seconds: float

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """
        Connect to the proxy and, through it, to the server; the protocol receives the bytes after the proxy's response.
        """
        authority = f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
        lines = [f"CONNECT {authority} HTTP/1.1", f"Host: {authority}"]
        if self.authorization is not None:
            lines.append(f"Proxy-Authorization: {self.authorization}")
        head = "\r\n".join((*lines, "", "")).encode("ascii")
        negotiations = Factory.forProtocol(lambda: _Negotiation(head))
        connecting: Deferred[Any] = QuietEndpoint(self.proxy).connect(negotiations)
        return connecting.addCallback(self._negotiate, protocolFactory)

    def _negotiate(self, negotiation: _Negotiation, factory: IProtocolFactory) -> Deferred[IProtocol]:
        ready = negotiation.ready.addTimeout(self.seconds, self.clock, onTimeoutCancel=_too_late)
        return ready.addCallback(lambda _: negotiation.hand_over(factory))


def _too_late(result: Any, seconds: float) -> Any:
    raise TunnelRefused(f"the proxy did not answer within {seconds:g} s")


class _Negotiation(Protocol):
    """
    Asks a proxy to connect, then forwards received data to another protocol, which writes to the connection itself.

    ``ready`` fires when the proxy has connected; cancelling it closes the connection.
    """

    def __init__(self, head: bytes) -> None:
        self._head = head
        self._data = b""
        self._over = False
        self._inner: IProtocol | None = None
        self.ready: Deferred[None] = Deferred(lambda _: self._abort())

    def connectionMade(self) -> None:
        """Send the request."""
        transport: Any = self.transport
        transport.write(self._head)

    def dataReceived(self, data: bytes) -> None:
        """Parse the head of the response; the bytes after it are the server's."""
        if self._inner is not None:
            self._inner.dataReceived(data)
            return
        self._data += data
        if self._over:
            return
        head, end, rest = self._data.partition(b"\r\n\r\n")
        if end:
            self._answered(head, rest)
        elif len(self._data) > _MAX_HEAD:
            self._fail("the proxy's answer does not end")

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Forward the loss, or fail the negotiation."""
        if self._inner is not None:
            self._inner.connectionLost(reason)
        elif not self._over:
            self._over = True
            self.ready.errback(TunnelRefused("the proxy closed the connection"))

    def hand_over(self, factory: IProtocolFactory) -> IProtocol:
        """Connect a protocol to the server."""
        transport: Any = self.transport
        inner = factory.buildProtocol(transport.getPeer())
        if inner is None:
            self._abort()
            raise TunnelRefused("the client did not accept the connection")
        self._inner = inner
        inner.makeConnection(transport)
        # These bytes arrived together with the proxy's response, before there was a protocol to receive them.
        if self._data:
            inner.dataReceived(self._data)
        return inner

    def _answered(self, head: bytes, rest: bytes) -> None:
        read = _STATUS.match(head)
        if read is None:
            self._fail("the proxy's answer is not HTTP")
        elif not read[1].startswith(b"2"):
            self._fail(f"the proxy answered {int(read[1])}", int(read[1]))
        else:
            # Set before the callback, which connects the client's protocol at once.
            self._over, self._data = True, rest
            self.ready.callback(None)

    def _fail(self, reason: str, status: int | None = None) -> None:
        # Aborted first: connectionLost, which follows, must not fire ``ready`` again.
        self._abort()
        self.ready.errback(TunnelRefused(reason, status))

    def _abort(self) -> None:
        self._over = True
        transport: Any = self.transport
        transport.abortConnection()
