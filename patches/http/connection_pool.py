"""A pool of connections of HTTP clients that logs nothing about them, and bounds the heads of responses."""

from __future__ import annotations

import socket
from typing import Any

from attrs import define, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IProtocol,
    IProtocolFactory,
    IStreamClientEndpoint,
    ISystemHandle,
    ITCPTransport,
)
from twisted.python.failure import Failure
from twisted.web._newclient import HEADER, STATUS, HTTP11ClientProtocol
from twisted.web.client import HTTPConnectionPool, _HTTP11ClientFactory
from zope.interface import implementer

from patches.http.client_hello import is_record

#: The most bytes before the body of a response, informational responses included.
MAX_HEAD_BYTES = 32 * 1024
#: The most bytes of one line of it.
MAX_LINE_BYTES = 16 * 1024
#: The most header fields of a response, those of its informational responses included.
MAX_FIELDS = 200
#: The most informational responses (1xx) before a response.
MAX_INFORMATIONAL = 8


class HeadTooLong(Exception):
    """The head of a response is too long."""


class NotHttp(Exception):
    """A server that answers a plain request with a record of TLS."""


@define
class _Head:
    """
    The size of the head of a response so far.

    :ivar blocks: the number of the empty lines, each of which ends an informational response, or the head.
    """

    size: int = 0
    lines: int = 0
    line_size: int = 0
    blocks: int = 0

    def add(self, piece: bytes) -> None:
        """
        Add a line, or a part of one.

        :raises HeadTooLong: if it exceeds a limit.
        """
        self.size += len(piece)
        self.line_size += len(piece)
        line_size = self.line_size
        if piece.endswith(b"\n"):
            self.lines += 1
            self.blocks += line_size <= 2 and not piece.strip()
            self.line_size = 0
        for number, most, what in (
            (line_size, MAX_LINE_BYTES, "bytes in a line of its head"),
            (self.lines - 2 * self.blocks, MAX_FIELDS, "header fields"),
            (self.blocks - 1, MAX_INFORMATIONAL, "informational responses before it"),
            (self.size, MAX_HEAD_BYTES, "bytes of header fields"),
        ):
            if number > most:
                raise HeadTooLong(f"a response has more than {most} {what}")


#: After so many seconds without a sign of life a connection is probed, so often, this many times; then it is closed.
KEEPALIVE = ((socket.TCP_KEEPIDLE, 10), (socket.TCP_KEEPINTVL, 10), (socket.TCP_KEEPCNT, 3))


def probe_when_silent(transport: Any) -> None:
    """
    Make the kernel probe a connection that is silent: one whose other end is gone would be waited for in vain.

    A firewall or a restart can take the other end away without a word; a long poll looks the same. Source: tcp(7).
    """
    while (below := getattr(transport, "transport", None)) is not None:
        transport = below
    if ISystemHandle.providedBy(transport) and ITCPTransport.providedBy(transport):
        transport.setTcpKeepAlive(True)
        handle: Any = transport.getHandle()
        for option, value in KEEPALIVE:
            handle.setsockopt(socket.IPPROTO_TCP, option, value)


class BoundedHeadProtocol(HTTP11ClientProtocol):
    """A client's connection that is closed if a response has a head without end, or its other end is gone."""

    _head: _Head
    _counted: Any = None

    def connectionMade(self) -> None:
        """Probe the connection when it is silent."""
        super().connectionMade()
        probe_when_silent(self.transport)

    def dataReceived(self, data: bytes) -> None:
        """Pass the head on line by line, and count it; what follows is passed on as it comes."""
        position = 0
        while position < len(data) and self._parser is not None and self._parser.state in (STATUS, HEADER):
            end = data.find(b"\n", position) + 1 or len(data)
            piece, position = data[position:end], end
            if self._counted is not self._parser:  # each response has a parser of its own
                self._counted, self._head = self._parser, _Head()
                if is_record(piece):  # an alert has no end of a line: its status would be waited for
                    self._giveUp(Failure(NotHttp("it needs TLS")))
                    return
            try:
                self._head.add(piece)
            except HeadTooLong as error:
                self._giveUp(Failure(error))
                return
            super().dataReceived(piece)
        if position < len(data) or not data:
            super().dataReceived(data[position:])

    def _giveUp(self, reason: Failure) -> None:
        """
        Close the connection because of what was received, and fail the request.

        While a request is still being written, Twisted forgets it here: it would never end, and the error would be
        logged as one that nobody handles. So its failure is passed on as that of a request that was written.
        """
        if self._state == "TRANSMITTING" and self._responseDeferred is not None and self._finishedRequest is not None:
            self._state = "TRANSMITTING_AFTER_RECEIVING_RESPONSE"
            self._responseDeferred.chainDeferred(self._finishedRequest)
        super()._giveUp(reason)


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
