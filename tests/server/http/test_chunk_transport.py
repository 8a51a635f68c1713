"""Tests for :mod:`patches.server.http.chunk_transport`, with connections of Twisted over sockets."""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet.protocol import Protocol
from twisted.internet.tcp import Server
from twisted.internet.testing import MemoryReactor, StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from patches.server.http.chunk_transport import can_send_now, send_later, send_now

#: More than the kernel takes at once.
LARGE = bytes(range(256)) * 40_000


class Producer:
    """Counts how often it is paused and resumed."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def pauseProducing(self) -> None:
        """Note the pause."""
        self.told.append("pause")

    def resumeProducing(self) -> None:
        """Note its end."""
        self.told.append("resume")

    def stopProducing(self) -> None:
        """Note the end."""
        self.told.append("stop")


class SendTests(SynchronousTestCase):
    """Bytes that are sent past the buffer of a transport."""

    def setUp(self) -> None:
        ours, self.other = socket.socketpair()
        self.other.setblocking(False)
        self.addCleanup(self.other.close)
        self.addCleanup(ours.close)
        self.reactor, self.producer = MemoryReactor(), Producer()
        self.transport: Any = Server(ours, Protocol(), ("192.0.2.1", 1), None, 0, self.reactor)  # type: ignore[arg-type]
        self.transport.registerProducer(self.producer, True)

    def received(self) -> bytes:
        """Return what the other end receives now."""
        data = b""
        while True:
            try:
                part = self.other.recv(1 << 20)
            except BlockingIOError:
                return data
            if not part:
                return data
            data += part

    def test_all(self) -> None:
        """Bytes that the kernel takes are sent at once, and the reactor is asked for nothing."""
        self.assertEqual(send_now(self.transport, b"chunk"), 5)
        self.assertEqual((self.received(), self.reactor.writers, self.producer.told), (b"chunk", set(), []))

    def test_part(self) -> None:
        """The rest is sent by the transport, from the same bytes, while the producer is paused."""
        sent = send_now(self.transport, LARGE)
        self.assertTrue(0 < sent < len(LARGE))
        self.assertEqual(self.producer.told, [])
        send_later(self.transport, LARGE, sent)
        self.assertIs(self.transport.dataBuffer, LARGE)
        self.assertEqual((self.producer.told, self.reactor.writers), (["pause"], {self.transport}))
        received = self.received()
        while self.transport in self.reactor.writers:
            self.assertIsNone(self.transport.doWrite())
            received += self.received()
        self.assertEqual(received, LARGE)
        self.assertEqual((self.producer.told, self.transport.dataBuffer), (["pause", "resume"], b""))

    def test_in_order(self) -> None:
        """The bytes that the transport has yet to send come first; so does the rest of what was sent before."""
        self.transport.write(b"first")
        self.assertEqual((send_now(self.transport, b"second"), self.received()), (0, b""))
        self.transport.doWrite()
        sent = send_now(self.transport, LARGE)
        send_later(self.transport, LARGE, sent)
        self.received()
        self.assertEqual(send_now(self.transport, b"second"), 0)

    def test_full(self) -> None:
        """A socket without room takes nothing."""
        while send_now(self.transport, LARGE):
            pass
        self.assertEqual(send_now(self.transport, b"chunk"), 0)

    def test_hung_up(self) -> None:
        """The error of a connection that is lost is left to the transport, before and after it knows."""
        self.other.close()
        self.assertEqual(send_now(self.transport, b"chunk"), 0)
        lost = self.transport.writeSomeData(b"chunk")
        self.assertIsInstance(lost, Exception)
        self.transport.connectionLost(Failure(lost))
        self.assertEqual(send_now(self.transport, b"chunk"), 0)

    def test_which_connections(self) -> None:
        """A connection that is encrypted, or that something wraps, has no socket that takes these bytes."""
        self.assertTrue(can_send_now(self.transport))
        self.assertFalse(can_send_now(StringTransport()))
        self.transport.TLS = True
        self.assertFalse(can_send_now(self.transport))
