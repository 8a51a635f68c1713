"""Tests for :mod:`patches.http.access.tunnels`."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IProtocolFactory, IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from patches.http.access.tunnels import TunnelEndpoint, TunnelRefused


class Listening(Protocol):
    """Stores received data."""

    data, closed = b"", 0

    def dataReceived(self, data: bytes) -> None:
        self.data += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.closed += 1


@implementer(IStreamClientEndpoint)
class FakeProxy:
    """A proxy that accepts a connection at once."""

    def __init__(self) -> None:
        self.transport = StringTransport()

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[Any]:
        self.protocol: Any = protocolFactory.buildProtocol(None)
        self.protocol.makeConnection(self.transport)
        return succeed(self.protocol)


class TunnelTests(SynchronousTestCase):
    """One tunnel."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.proxy = FakeProxy()

    def connect(self, host: str = "feeds.test", authorization: str | None = None) -> Deferred[Any]:
        """Start to connect."""
        endpoint = TunnelEndpoint(self.proxy, host, 443, authorization, self.clock, 10.0)
        return endpoint.connect(Factory.forProtocol(Listening))

    def test_asked(self) -> None:
        """The proxy is asked to connect, by name; credentials are sent only if they are configured."""
        self.connect()
        asked = b"CONNECT feeds.test:443 HTTP/1.1\r\nHost: feeds.test:443\r\n\r\n"
        self.assertEqual(self.proxy.transport.value(), asked)
        self.proxy = FakeProxy()
        self.connect("::1", "Basic eA==")
        self.assertIn(b"CONNECT [::1]:443 HTTP/1.1\r\n", self.proxy.transport.value())
        self.assertIn(b"\r\nProxy-Authorization: Basic eA==\r\n", self.proxy.transport.value())

    def test_connected(self) -> None:
        """After the proxy's response the protocol receives all data, in any pieces."""
        answer = b"HTTP/1.0 200 Connection established\r\nVia: x\r\n\r\nhello"
        for size in (1, 7, len(answer)):
            self.proxy = FakeProxy()
            connecting = self.connect()
            for first in range(0, len(answer), size):
                self.proxy.protocol.dataReceived(answer[first : first + size])
            protocol = self.successResultOf(connecting)
            self.assertEqual((protocol.data, protocol.transport), (b"hello", self.proxy.transport))
            self.proxy.protocol.dataReceived(b" world")
            self.proxy.protocol.connectionLost(Failure(ConnectionDone()))
            self.assertEqual((protocol.data, protocol.closed), (b"hello world", 1))
            self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_refused(self) -> None:
        """The error names the proxy, not the server behind it, and the connection is closed."""
        for answer, reason in {
            b"HTTP/1.1 407 Authenticate\r\n\r\n": "the proxy answered 407",
            b"HTTP/1.1 502\r\n\r\n": "the proxy answered 502",
            b"SSH-2.0-x\r\n\r\n": "the proxy's answer is not HTTP",
            b"HTTP/1.1 200 X\r\n" + b"x" * 70_000: "the proxy's answer does not end",
        }.items():
            self.proxy = FakeProxy()
            connecting = self.connect()
            self.proxy.protocol.dataReceived(answer)
            self.assertEqual(self.failureResultOf(connecting, TunnelRefused).value.reason, reason)
            self.assertTrue(self.proxy.transport.disconnected)
            self.proxy.protocol.connectionLost(Failure(ConnectionDone()))

    def test_closed(self) -> None:
        """A proxy that closes the connection has refused."""
        connecting = self.connect()
        self.proxy.protocol.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(
            self.failureResultOf(connecting, TunnelRefused).value.reason, "the proxy closed the connection"
        )

    def test_silent(self) -> None:
        """A proxy that does not respond is given up after a time-out; a cancelled connection is closed at once."""
        connecting = self.connect()
        self.clock.advance(10)
        self.assertIn("within 10 s", self.failureResultOf(connecting, TunnelRefused).value.reason)
        self.assertTrue(self.proxy.transport.disconnected)
        self.proxy = FakeProxy()
        connecting = self.connect()
        connecting.cancel()
        self.failureResultOf(connecting, CancelledError)
        self.assertTrue(self.proxy.transport.disconnected)
        self.assertEqual(self.clock.getDelayedCalls(), [])
