"""Tests for :mod:`patches.http.bounded_site`."""

from __future__ import annotations

from typing import Any
from unittest.mock import ANY

from twisted.internet.interfaces import ISSLTransport
from twisted.internet.task import Clock
from twisted.logger import globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from patches.http import bounded_site
from patches.http.bounded_site import CLOSING_SECONDS, REQUEST_SECONDS, BoundedSite
from patches.service.budget import CONNECTION_BYTES, CONNECTIONS, HANDSHAKE_BYTES, TLS_BYTES, Budget
from tests.http.test_bounded_channel import Seen
from tests.server.memory_transport import Wire, answers

HALF = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab"
WHOLE = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
WAITS = b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n"


class ClosingWire(Wire):
    """A connection that can be closed in one direction, as TCP can."""

    aborted = False

    def loseWriteConnection(self) -> None:
        """Close the direction of the server; the other end may still write."""

    def abortConnection(self) -> None:
        """Close the connection now."""
        self.aborted = True
        super().abortConnection()


class SiteTests(SynchronousTestCase):
    """A site with memory for four connections."""

    most = 4

    def setUp(self) -> None:
        self.clock = Clock()
        self.budget = Budget(self.most * CONNECTION_BYTES)
        self.seen = Seen()
        self.site = BoundedSite(self.seen, self.budget, self.clock)

    def connect(self, data: bytes = b"", kind: type[Wire] = Wire) -> Wire:
        """Connect a client, and send bytes."""
        wire = kind(self.site.buildProtocol(None))
        if data:
            wire.send(data)
        return wire

    def statuses(self, wire: Wire) -> list[int]:
        """Return the statuses that a client received."""
        return [answer.status for answer in answers(wire.received)]

    def test_granted(self) -> None:
        """Each connection is granted its bytes, until it is lost, however it is lost."""
        wires = [self.connect(data) for data in (b"", HALF, WHOLE, WAITS)]
        self.assertEqual(self.budget.used[CONNECTIONS], 4 * CONNECTION_BYTES)
        for wire in wires:
            wire.hang_up()
        self.assertEqual((self.budget.used[CONNECTIONS], len(self.site), self.site.half_read), (0, 0, 0))

    def test_never_connected(self) -> None:
        """The bytes of a connection whose handshake fails are released, although it was never made."""
        channel = self.site.buildProtocol(None)
        channel.connectionLost(ANY)
        self.assertEqual(self.budget.used[CONNECTIONS], 0)

    def test_refused(self) -> None:
        """If all connections wait for an answer, a newcomer is refused with a reason."""
        for _ in range(4):
            self.connect(WAITS)
        self.clock.advance(5)
        newcomer = self.connect()
        self.assertEqual((self.statuses(newcomer), newcomer.connected), ([503], False))
        self.assertIn(b"\r\nRetry-After: ", newcomer.received)
        self.assertEqual((self.site.ended["refused"], self.site.ended["displaced"]), (1, 0))

    def test_displaced(self) -> None:
        """The connection that has been idle for longest makes room for a newcomer."""
        waits, first, second, third = (self.connect(data) for data in (WAITS, b"", WHOLE, WHOLE))
        self.clock.advance(0.5)
        first.send(WHOLE)
        self.clock.advance(1)
        newcomer = self.connect(WHOLE)
        self.assertEqual(self.statuses(newcomer), [200])
        self.assertEqual([each.connected for each in (waits, first, second, third)], [True, True, False, True])
        self.assertEqual(self.budget.used[CONNECTIONS], 4 * CONNECTION_BYTES)

    def test_too_young(self) -> None:
        """A connection of this very moment does not make room: those that come at once would end each other."""
        wires = [self.connect() for _ in range(4)]
        self.assertEqual(self.statuses(self.connect()), [503])
        self.assertTrue(all(wire.connected for wire in wires))

    def test_half_read_makes_room(self) -> None:
        """A request that is half read makes room too, with a reason, and its drops do not make it younger."""
        half = self.connect(HALF)
        self.clock.advance(1.5)
        half.send(b"c")
        for _ in range(3):
            self.connect(WHOLE)
        self.assertEqual(self.statuses(self.connect(WHOLE)), [200])
        self.assertEqual((self.statuses(half), half.connected), ([503], False))

    def test_overdue(self) -> None:
        """A request must be whole in time, however often something of it comes."""
        slow, waits, idle = self.connect(HALF), self.connect(WAITS), self.connect(WHOLE)
        for _ in range(int(REQUEST_SECONDS)):
            self.clock.advance(1)
            self.site.tick()
            if slow.connected:
                slow.send(b"")
        self.assertEqual((self.statuses(slow), slow.connected), ([408], False))
        self.assertTrue(waits.connected and idle.connected)
        self.assertEqual(self.site.ended["overdue"], 1)

    def test_crowded(self) -> None:
        """Only so many requests may be half read; beyond that the oldest is refused."""
        self.patch(bounded_site, "MOST_HALF_READ", 2)
        first, second, third = (self.connect(HALF) for _ in range(3))
        self.assertEqual(self.statuses(first), [503])
        self.assertTrue(second.connected and third.connected)
        second.send(b"cde")
        self.assertEqual((self.statuses(second), self.site.half_read), ([200], 1))

    def test_shed_half_read(self) -> None:
        """The youngest half-read requests are let go first."""
        first, second, third = (self.connect(HALF) for _ in range(3))
        self.assertEqual(self.site.shed_half_read(2), 2)
        self.assertEqual([self.statuses(each) for each in (first, second, third)], [[], [503], [503]])
        self.assertEqual(self.budget.used[CONNECTIONS], CONNECTION_BYTES)

    def test_shed_idle(self) -> None:
        """Idle connections are closed, and neither those that wait nor those that are half read."""
        waits, half, idle, silent = (self.connect(data) for data in (WAITS, HALF, WHOLE, b""))
        self.assertEqual(self.site.shed_idle(10), 2)
        self.assertEqual([each.connected for each in (waits, half, idle, silent)], [True, True, False, False])

    def test_closed(self) -> None:
        """While the budget is closed for connections, nothing makes room for a newcomer."""
        idle = self.connect(WHOLE)
        self.clock.advance(5)
        self.budget.closed = frozenset((CONNECTIONS,))
        self.assertEqual((self.statuses(self.connect()), idle.connected), ([503], True))

    def test_closed_gently(self) -> None:
        """A refused client may write on for a moment, so that it gets the answer; what it sends is not read."""
        wire = self.connect(b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", ClosingWire)
        wire.send(WHOLE)
        self.assertEqual((self.statuses(wire), wire.connected), ([400], True))
        self.clock.advance(CLOSING_SECONDS)
        self.assertTrue(wire.aborted)  # type: ignore[attr-defined]
        self.assertEqual(self.budget.used[CONNECTIONS], 0)

    def test_displaced_gently(self) -> None:
        """A request that gives way gets its answer, and its connection ends even if its client does not close it."""
        half = self.connect(HALF, ClosingWire)
        self.clock.advance(2)
        self.assertEqual(self.site.shed_half_read(1), 1)
        self.assertEqual((self.statuses(half), half.connected, self.budget.used[CONNECTIONS]), ([503], True, 0))
        self.clock.advance(CLOSING_SECONDS)
        self.assertFalse(half.connected)

    def test_closed_at_once(self) -> None:
        """Only so many connections are closed gently; those that end by themselves need no further step."""
        self.patch(bounded_site, "MOST_CLOSING", 1)
        gently, at_once = (self.connect(b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", ClosingWire) for _ in range(2))
        self.assertEqual((gently.connected, at_once.connected), (True, False))
        gently.hang_up()
        self.assertEqual([call for call in self.clock.getDelayedCalls() if call.getTime() < 10], [])

    def test_encrypted(self) -> None:
        """An encrypted connection is granted more; if there is not so much, it is refused."""

        @implementer(ISSLTransport)
        class EncryptedWire(Wire):
            """A connection that is encrypted."""

            def getPeerCertificate(self) -> None:
                """Return no certificate."""

            def setTcpNoDelay(self, enabled: bool) -> None:
                """Change nothing."""

        self.budget.limit = 2 * CONNECTION_BYTES + TLS_BYTES + HANDSHAKE_BYTES
        first = self.connect(WAITS, EncryptedWire)
        self.assertEqual(self.budget.used[CONNECTIONS], CONNECTION_BYTES + TLS_BYTES + HANDSHAKE_BYTES)
        for _ in range(2):
            first.protocol.handshakeCompleted()
            self.assertEqual(self.budget.used[CONNECTIONS], CONNECTION_BYTES + TLS_BYTES)
        second = self.connect(b"", EncryptedWire)
        self.assertEqual((self.statuses(second), second.connected), ([503], False))
        first.hang_up()
        self.assertEqual(self.budget.used[CONNECTIONS], 0)

    def test_misdirected(self) -> None:
        """Clients that speak TLS to a port without are refused at once, and counted in one line a minute."""
        lines: list[str] = []

        def observe(event: Any) -> None:
            lines.append((event["log_format"] or "").format(**event))

        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)
        wires = [self.connect(b"\x16\x03\x01") for _ in range(3)]
        self.assertEqual([self.statuses(wire) for wire in wires], [[400]] * 3)
        for _ in range(120):
            self.clock.advance(1)
            self.site.tick()
        told = [line for line in lines if "TLS" in line]
        self.assertEqual(told, ["3 clients spoke HTTP to a port that needs TLS, or TLS to one that has none"])

    def test_summary(self) -> None:
        """Clients that are silent are counted in one line a minute."""
        lines: list[str] = []

        def observe(event: Any) -> None:
            lines.append(event["log_format"] or "")

        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)
        wires = [self.connect() for _ in range(3)]
        for _ in range(90):
            self.clock.advance(1)
            self.site.tick()
        self.assertFalse(any(wire.connected for wire in wires))
        told = [line for line in lines if "silent" in line or "Timing out" in line]
        self.assertEqual(told, ["{count} clients were silent for too long; their connections were closed"])
