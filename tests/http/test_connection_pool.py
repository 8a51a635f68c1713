"""Tests for :mod:`patches.http.connection_pool`."""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IStreamClientEndpoint, ISystemHandle, ITCPTransport
from twisted.internet.testing import EventLoggingObserver, StringTransport
from twisted.logger import formatEvent, globalLogPublisher
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web._newclient import Request, ResponseFailed
from twisted.web.client import readBody
from twisted.web.http_headers import Headers
from zope.interface import directlyProvides
from zope.interface.verify import verifyObject

from patches.http.access.proxies import Proxies
from patches.http.access.routed_agent import pooled_agent
from patches.http.connection_pool import (
    MAX_FIELDS,
    MAX_HEAD_BYTES,
    MAX_INFORMATIONAL,
    MAX_LINE_BYTES,
    BoundedHeadProtocol,
    HeadTooLong,
    NotHttp,
    QuietEndpoint,
)
from patches.scanner.client.http_client import http_client
from patches.sources.fetch.access import Access
from tests.sources.memory_reactor import ResolvingReactor


class QuietTests(SynchronousTestCase):
    """Requests over the agents of all programs."""

    def setUp(self) -> None:
        self.reactor = ResolvingReactor()

    def logged_of_connection(self) -> list[str]:
        """Connect as a reactor does, with its factory started and stopped. Return the lines that are logged."""
        observer = EventLoggingObserver.createWithCleanup(self, globalLogPublisher)
        factory = self.reactor.tcpClients[-1][2]
        factory.doStart()
        _, transport = self.reactor.accept()
        self.assertNotEqual(transport.value(), b"")
        factory.doStop()
        return [str(formatEvent(event)) for event in observer]

    def test_interface(self) -> None:
        """The wrapper is an endpoint."""
        verifyObject(IStreamClientEndpoint, QuietEndpoint(HostnameEndpoint(self.reactor, "x.test", 80)))

    def test_scanner(self) -> None:
        """A request of a scanner logs no line about its connection."""
        for url in ("http://server.test/", "https://server.test/"):
            http_client(self.reactor).get(url)
            self.assertEqual(self.logged_of_connection(), [])

    def test_server(self) -> None:
        """A request to a source logs no line about its connection, be it direct, by a proxy or through a tunnel."""
        for proxies in ({}, {"HTTP_PROXY": "http://proxy.test", "HTTPS_PROXY": "http://proxy.test"}):
            agent = pooled_agent(self.reactor, 2, 60.0, Access(Proxies.from_environment(proxies)))
            for url in (b"http://feeds.test/a", b"https://feeds.test/a"):
                agent.request(b"GET", url)
                self.assertEqual(self.logged_of_connection(), [])


class SlowBody:
    """A body that is written later."""

    length = 4

    def __init__(self) -> None:
        self.written: Deferred[None] = Deferred()

    def startProducing(self, consumer: Any) -> Deferred[None]:
        """Begin."""
        self.consumer = consumer
        return self.written

    def finish(self) -> None:
        """Write all of it."""
        self.consumer.write(b"body")
        self.written.callback(None)

    def stopProducing(self) -> None:
        """Stop."""


class EarlyTests(SynchronousTestCase):
    """A server that answers before the request is written."""

    def setUp(self) -> None:
        self.transport = StringTransport()
        self.protocol = BoundedHeadProtocol()
        self.protocol.makeConnection(self.transport)
        self.body = SlowBody()
        self.answer = self.protocol.request(Request(b"POST", b"/", Headers({b"host": [b"x"]}), self.body))

    def test_malformed(self) -> None:
        """Malformed bytes fail the request, at once and only there; the connection is closed."""
        self.protocol.dataReceived(b"\xff\xfe\r\n")
        self.failureResultOf(self.answer, ResponseFailed)
        self.assertTrue(self.transport.disconnecting)
        self.body.finish()
        self.protocol.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_whole(self) -> None:
        """A whole response is that of the request, such as one that refuses it."""
        self.protocol.dataReceived(b"HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n")
        self.assertEqual(self.successResultOf(self.answer).code, 413)
        self.body.finish()
        self.protocol.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_unasked(self) -> None:
        """Bytes on an idle connection close it."""
        self.protocol = BoundedHeadProtocol()
        self.protocol.makeConnection(self.transport)
        self.protocol.dataReceived(b"\xff\xfe\r\n")
        self.assertTrue(self.transport.disconnecting)
        self.assertEqual(self.flushLoggedErrors(), [])


class ProbeTests(SynchronousTestCase):
    """Connections that are silent."""

    def test_probed(self) -> None:
        """The kernel probes a TCP connection after ten seconds, below TLS too; one without a socket is left alone."""
        with socket.socket() as found:
            tcp = StringTransport()
            tcp.getHandle = lambda: found  # type: ignore[attr-defined]
            tcp.setTcpKeepAlive = lambda on: found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, on)  # type: ignore[attr-defined]
            directlyProvides(tcp, ISystemHandle, ITCPTransport)
            above = StringTransport()
            above.transport = tcp  # type: ignore[attr-defined]
            BoundedHeadProtocol().makeConnection(above)
            self.assertEqual(found.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE), 1)
            self.assertEqual(found.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE), 10)
        BoundedHeadProtocol().makeConnection(StringTransport())


class HeadTests(SynchronousTestCase):
    """The head of a response."""

    def setUp(self) -> None:
        self.transport = StringTransport()
        self.protocol = BoundedHeadProtocol()
        self.protocol.makeConnection(self.transport)
        self.answer = self.protocol.request(Request(b"GET", b"/", Headers({b"host": [b"x"]}), None))

    def test_endless(self) -> None:
        """A response whose header fields do not end is given up, whatever they are; the connection is closed."""
        status, informational = b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"
        for start, piece, most, what in (
            (status, b"X-a: " + b"b" * 1000 + b"\r\n", MAX_HEAD_BYTES, "bytes of header fields"),
            (status + b"X-a: ", b"b" * 1000, MAX_LINE_BYTES + 1000, "bytes in a line"),
            (status, b"a:\r\n", MAX_FIELDS * 5, "header fields"),
            (b"", informational, (MAX_INFORMATIONAL + 1) * len(informational), "informational responses"),
            (b"", b"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n", 1000, "informational responses"),
        ):
            for at_once in (1, 7, 100):
                self.setUp()
                self.protocol.dataReceived(start)
                sent = len(start)
                while not self.transport.disconnecting:
                    self.protocol.dataReceived(piece * at_once)
                    sent += len(piece) * at_once
                    self.assertLess(sent, most + 2 * len(piece) * at_once)
                (reason,) = self.failureResultOf(self.answer, ResponseFailed).value.reasons
                self.assertIsInstance(reason.value, HeadTooLong)
                self.assertIn(what, str(reason.value))

    def test_tls(self) -> None:
        """A record of TLS instead of a response is given up at its first byte: it has no end of a line."""
        self.protocol.dataReceived(b"\x15")
        (reason,) = self.failureResultOf(self.answer, ResponseFailed).value.reasons
        self.assertIsInstance(reason.value, NotHttp)

    def test_allowed(self) -> None:
        """A head within the limits is read, in whatever pieces it comes, and so is the body that comes with it."""
        whole = b"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" * MAX_INFORMATIONAL + b"HTTP/1.1 200 OK\r\n"
        whole += b"X: y\r\n" * 150 + b"Content-Length: 100000\r\n\r\n" + bytes(100_000)
        for size in (1, 1000, len(whole)):
            self.setUp()
            for start in range(0, len(whole), size):
                self.protocol.dataReceived(whole[start : start + size])
            self.assertEqual(len(self.successResultOf(readBody(self.successResultOf(self.answer)))), 100_000)

    def test_next(self) -> None:
        """Each response on a connection is counted by itself, also if it was requested as soon as the last ended."""
        answers: list[Any] = []

        def ask() -> None:
            asking = self.protocol.request(Request(b"GET", b"/", Headers({b"host": [b"x"]}), None, persistent=True))
            answers.append(asking)
            asking.addCallback(readBody).addCallback(lambda body: ask())

        self.protocol = BoundedHeadProtocol(lambda protocol: None)
        self.protocol.makeConnection(self.transport)
        ask()
        for _ in range(100):
            self.protocol.dataReceived(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 9 + b"Content-Length: 2\r\n\r\n{}")
        self.assertEqual((len(answers), self.transport.disconnecting), (101, False))

    def test_body(self) -> None:
        """The body may be longer, and so may the next response on the same connection."""
        self.protocol.dataReceived(b"HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n")
        body = readBody(self.successResultOf(self.answer))
        for _ in range(20):
            self.protocol.dataReceived(bytes(100_000))
        self.assertEqual(len(self.successResultOf(body)), 2_000_000)
