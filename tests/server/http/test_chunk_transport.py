"""Tests for :mod:`patches.server.http.chunk_transport`, with connections of Twisted over sockets."""

from __future__ import annotations

import socket
import tracemalloc
from typing import Any

from twisted.internet.main import CONNECTION_DONE, CONNECTION_LOST
from twisted.internet.protocol import Protocol
from twisted.internet.tcp import Server
from twisted.internet.testing import MemoryReactor, StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from patches.server.http.chunk_transport import can_send_now, send_now

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

    def flush(self) -> bytes:
        """Send until the transport has nothing left. Return what the other end receives."""
        received = self.received()
        while self.transport in self.reactor.writers:
            self.assertIsNone(self.transport.doWrite())
            received += self.received()
        return received

    def test_all(self) -> None:
        """Bytes that the kernel takes are sent at once, and the reactor is asked for nothing."""
        self.assertTrue(send_now(self.transport, b"chunk"))
        self.assertEqual((self.received(), self.reactor.writers, self.producer.told), (b"chunk", set(), []))

    def test_part(self) -> None:
        """The rest is sent when the socket is writable, while the producer is paused; then all is as before."""
        for _ in range(2):
            self.producer.told.clear()
            self.assertTrue(send_now(self.transport, LARGE))
            self.assertEqual((self.producer.told, self.reactor.writers), (["pause"], {self.transport}))
            self.assertEqual(self.flush(), LARGE)
            self.assertEqual(self.producer.told, ["pause", "resume"])

    def test_no_copy(self) -> None:
        """However slowly the other end reads, the rest is not copied."""
        send_now(self.transport, LARGE)
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        for _ in range(50):
            self.other.recv(50_000)
            self.assertIsNone(self.transport.doWrite())
        self.assertLess(tracemalloc.get_traced_memory()[1], 200_000)
        self.assertEqual(self.transport.dataBuffer, b"")

    def test_in_order(self) -> None:
        """The bytes that the transport has yet to send come first; so does the rest of what was sent before."""
        self.transport.write(b"first")
        self.assertFalse(send_now(self.transport, b"second"))
        self.assertEqual(self.flush(), b"first")
        send_now(self.transport, LARGE)
        self.assertFalse(send_now(self.transport, b"second"))
        self.transport.write(b"third")
        self.assertEqual(self.flush(), LARGE + b"third")

    def test_closed_meanwhile(self) -> None:
        """A connection that is to be closed is closed when all is sent."""
        send_now(self.transport, LARGE)
        self.transport.loseConnection()
        received, ended = self.received(), None
        while ended is None:
            ended = self.transport.doWrite()
            received += self.received()
        self.assertEqual((received, ended), (LARGE, CONNECTION_DONE))

    def test_full(self) -> None:
        """A socket without room takes nothing now, and everything later."""
        self.transport.socket.setblocking(False)
        with self.assertRaises(BlockingIOError):
            while True:
                self.transport.socket.send(bytes(4096))
        self.assertTrue(send_now(self.transport, b"chunk"))
        self.assertEqual(self.producer.told, ["pause"])
        self.assertTrue(self.flush().endswith(b"chunk"))

    def test_hung_up(self) -> None:
        """The error of a connection that is lost is met by the transport; after that nothing is sent."""
        self.other.close()
        self.assertTrue(send_now(self.transport, b"chunk"))
        lost = self.transport.doWrite()
        self.assertIs(lost, CONNECTION_LOST)
        self.transport.connectionLost(Failure(lost))
        self.assertFalse(send_now(self.transport, b"chunk"))

    def test_which_connections(self) -> None:
        """A connection that is encrypted, or that something wraps, has no socket that takes these bytes."""
        self.assertTrue(can_send_now(self.transport))
        self.assertFalse(can_send_now(StringTransport()))
        self.transport.TLS = True
        self.assertFalse(can_send_now(self.transport))
