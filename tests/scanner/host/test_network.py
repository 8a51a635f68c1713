"""Tests for :mod:`patches.scanner.host.network`."""

from __future__ import annotations

import socket
import struct
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SkipTest, SynchronousTestCase

from patches.scanner.host.network import NetworkService, brings_network, messages, open_messages


def message(kind: int, content: bytes = b"") -> bytes:
    """Return a message as the kernel sends it, with its padding."""
    data = struct.pack("=IHHII", 16 + len(content), kind, 0, 0, 0) + content
    return data + bytes(-len(data) % 4)


def link(flags: int) -> bytes:
    """Return the content of a message about a link."""
    return struct.pack("=BxHiII", 0, 1, 2, flags, 0xFFFFFFFF) + b"name"


class MessageTests(SynchronousTestCase):
    """Messages of rtnetlink(7)."""

    def test_parsed(self) -> None:
        """Each message of a datagram is found; one that is cut, or has an impossible length, ends it."""
        data = message(20, b"abc") + message(24, b"")
        self.assertEqual(list(messages(data)), [(20, b"abc"), (24, b"")])
        self.assertEqual(list(messages(data[:-1])), [(20, b"abc")])
        self.assertEqual(list(messages(bytes(40))), [])

    def test_meaning(self) -> None:
        """Addresses and routes that come are a network; those that go are not; links only if connected, and not lo."""
        found = [brings_network(kind, b"") for kind in (20, 24, 21, 25, 16)]
        self.assertEqual(found, [True, True, False, False, False])
        self.assertEqual([brings_network(16, link(flags)) for flags in (0x1, 0x41, 0x49)], [False, True, False])


class Readers(Clock):
    """A clock that has readers."""

    def __init__(self) -> None:
        super().__init__()
        self.readers: list[Any] = []
        self.addReader, self.removeReader = self.readers.append, self.readers.remove


class ServiceTests(SynchronousTestCase):
    """A service whose kernel is the test."""

    def setUp(self) -> None:
        self.reactor = Readers()
        self.came: list[float] = []
        self.kernel, self.socket = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.addCleanup(self.kernel.close)
        self.service = NetworkService(
            self.reactor, lambda: self.came.append(self.reactor.seconds()), lambda: self.socket
        )

    def test_series(self) -> None:
        """A series of messages is told once, a second after its first; what brings no network is not."""
        self.service.startService()
        self.assertEqual(self.reactor.readers, [self.service])
        self.service.doRead()
        for kind in (21, 20, 24, 20):
            self.kernel.send(message(kind))
            self.service.doRead()
        self.reactor.advance(1)
        self.kernel.send(message(21))
        self.service.doRead()
        self.reactor.advance(10)
        self.assertEqual(self.came, [1])
        self.service.stopService()
        self.assertEqual((self.reactor.readers, self.service.fileno()), ([], -1))

    def test_dropped(self) -> None:
        """Messages that the kernel had to drop may have been about a network."""

        class Full:
            """A socket whose buffer was full."""

            def recv(self, size: int) -> bytes:
                """Fail as a socket does that has lost messages."""
                raise OSError(105, "No buffer space available")

            def close(self) -> None:
                """Do nothing."""

        self.service = NetworkService(self.reactor, lambda: self.came.append(0.0), Full)  # type: ignore[arg-type]
        self.service.startService()
        self.service.doRead()
        self.service.stopService()
        self.assertEqual((self.came, self.reactor.getDelayedCalls()), ([], []))
        self.service.startService()
        self.service.doRead()
        self.reactor.advance(1)
        self.assertEqual(len(self.came), 1)

    def test_not_allowed(self) -> None:
        """Where there are no such messages, the daemon runs without them."""

        def refuse() -> socket.socket:
            raise OSError(97, "Address family not supported by protocol")

        service = NetworkService(self.reactor, lambda: None, refuse)
        service.startService()
        self.assertEqual(self.reactor.readers, [])
        service.stopService()
        self.socket.close()

    def test_kernel(self) -> None:
        """The kernel gives such a socket to everybody."""
        try:
            found = open_messages()
        except OSError as error:
            raise SkipTest(f"no netlink sockets here: {error}") from error
        self.assertRaises(BlockingIOError, found.recv, 100)
        found.close()
        self.socket.close()
