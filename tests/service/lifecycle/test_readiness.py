"""Tests for :mod:`patches.service.lifecycle.readiness`."""

from __future__ import annotations

import os
import socket
import tempfile
from pathlib import Path

from twisted.internet.testing import EventLoggingObserver, MemoryReactorClock
from twisted.logger import formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from patches.service.lifecycle.readiness import ReadinessService


class ReadinessTests(SynchronousTestCase):
    """A daemon, and the socket of systemd."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()  # the path of a socket has 107 bytes at most
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.socket.close)
        self.socket.setblocking(False)
        self.observer = EventLoggingObserver.createWithCleanup(self, globalLogPublisher)

    def run_daemon(self, address: str | None) -> None:
        """Start a daemon of which systemd expects something, let it run, and stop it."""
        if address is not None:
            self.patch(os, "environ", {"NOTIFY_SOCKET": address})
        reactor = MemoryReactorClock()
        service = ReadinessService(reactor)
        self.assertNotIn("NOTIFY_SOCKET", os.environ)
        service.startService()
        for call, arguments, keywords in reactor.whenRunningHooks:
            call(*arguments, **keywords)
        service.stopService()

    def received(self) -> list[bytes]:
        """Return what systemd has received."""
        return [self.socket.recv(100), self.socket.recv(100)]

    def test_path(self) -> None:
        """It is ready when the reactor runs, and stops; both are said at the path that systemd names."""
        self.socket.bind(str(self.path))
        self.run_daemon(str(self.path))
        self.assertEqual(self.received(), [b"READY=1", b"STOPPING=1"])

    def test_abstract(self) -> None:
        """An address that begins with ``@`` is one of the abstract namespace."""
        name = f"patches-{os.getpid()}"
        self.socket.bind(f"\0{name}")
        self.run_daemon(f"@{name}")
        self.assertEqual(self.received(), [b"READY=1", b"STOPPING=1"])

    def test_nobody(self) -> None:
        """Without systemd nothing is sent; an address where nobody listens is a line of the log, and no more."""
        self.run_daemon(None)
        self.assertEqual(len(self.observer), 0)
        self.run_daemon(str(self.path))
        lines = [str(formatEvent(event)) for event in self.observer]
        self.assertEqual(lines[0], "systemd cannot be told READY=1: No such file or directory")
