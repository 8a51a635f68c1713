"""Tests for :mod:`patches.http.access.tls_probe`."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from patches.http.access.tls_probe import client_hello, speaks_tls
from patches.http.client_hello import is_hello, is_record
from tests.chaos.certificates import write_certificate
from tests.sources.memory_reactor import ResolvingReactor, Transport


class ClientHelloTests(SynchronousTestCase):
    """A server of TLS, the standard library's, answers the ClientHello."""

    def answer(self, hello: bytes, newest: ssl.TLSVersion) -> tuple[bytes, list[str | None]]:
        """Return what a server sends back, and the names that it was asked for."""
        folder = Path(self.mktemp())
        folder.mkdir()
        write_certificate(folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.maximum_version = newest
        context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
        names: list[str | None] = []
        context.sni_callback = lambda _, name, __: names.append(name)
        received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
        received.write(hello)
        with self.assertRaises(ssl.SSLWantReadError):
            context.wrap_bio(received, sent, server_side=True).do_handshake()
        return sent.read(), names

    def test_answered(self) -> None:
        """A server of either version goes on with the handshake, and knows the name, if it is one."""
        for newest in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            for host, named in (("server.example", "server.example"), ("192.0.2.1", None), ("fe80::1%eth0", None)):
                hello = client_hello(host)
                self.assertTrue(is_hello(hello[:9]), host)
                answer, names = self.answer(hello, newest)
                self.assertEqual((answer[:1], names), (b"\x16", [named]))


class SpeaksTlsTests(SynchronousTestCase):
    """The first byte that a server sends decides."""

    def ask(self) -> tuple[Deferred[bool], Transport, Any]:
        """Ask a server in memory."""
        reactor = ResolvingReactor()
        asked = Deferred.fromCoroutine(speaks_tls(HostnameEndpoint(reactor, "server", 8080), "server"))
        protocol, transport = reactor.accept()
        self.assertTrue(is_hello(transport.value()[:9]))
        return asked, transport, protocol

    def test_answers(self) -> None:
        """Records of handshakes and alerts are TLS, all else is not; the connection is closed."""
        for answer, expected in (
            (b"\x16\x03\x03\0\x7a\x02", True),
            (b"\x15\x03\x03\0\2\2\x28", True),
            (b"HTTP/1.1 400 Bad Request\r\n\r\n", False),
            (b"SSH-2.0-OpenSSH_9.2\r\n", False),
        ):
            asked, transport, protocol = self.ask()
            self.assertNoResult(asked)
            protocol.dataReceived(answer)
            protocol.dataReceived(answer)
            self.assertEqual(self.successResultOf(asked), expected, answer)
            self.assertTrue(transport.disconnecting or transport.disconnected)
            self.assertEqual(is_record(answer), expected)

    def test_closed(self) -> None:
        """A server that closes the connection without a word speaks no TLS."""
        asked, _, protocol = self.ask()
        protocol.connectionLost(Failure(ConnectionDone()))
        self.assertFalse(self.successResultOf(asked))

    def test_cancelled(self) -> None:
        """A question that is cancelled closes the connection."""
        asked, transport, _ = self.ask()
        asked.cancel()
        self.failureResultOf(asked, CancelledError)
        self.assertTrue(transport.disconnecting or transport.disconnected)
