"""Tests for :mod:`patches.server.http.channel`: its memory and time are bounded, whatever a client does."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime

from twisted.internet.defer import ensureDeferred

from patches.server.budget import RESPONSES, WINDOW
from patches.server.http import channel
from patches.server.http.channel import SMALL_BUFFER_BYTES
from patches.server.http.chunk_transport import PIECE_BYTES
from patches.server.sessions.session import Limits
from patches.service.budget import CONNECTION_BYTES, CONNECTIONS
from tests.server.channel_case import ChannelCase
from tests.server.fake_catalogue import blank
from tests.server.memory_transport import SocketWire, Wire, answers, request
from tests.server.server_case import GZIP

#: The idle timeout of a connection in seconds; one that does not read its response has five seconds more.
IDLE = 30


class DateTests(ChannelCase):
    """The dates of responses."""

    def test_date(self) -> None:
        """``Date`` is the time of day, on either way and for errors, whatever the clock is that schedules."""
        self.site.wall = time.time
        for data in (self.chunk(0), self.chunk(0, {}), self.chunk(99), request("GET", "/health"), request("GET", "/x")):
            wire = self.connect()
            wire.send(data)
            (answer,) = answers(wire.received)
            date = parsedate_to_datetime(answer.headers["date"]).timestamp()
            self.assertLess(abs(date - time.time()), 60, data)


class PacingTests(ChannelCase):
    """The server holds at most one response for each client."""

    def unsent(self, wire: Wire) -> bytes:
        """Return the bytes that are written and not taken, those of a chunk that are yet to be written included."""
        return wire.unsent_bytes + bytes(wire.protocol._rest)

    def test_pieces(self) -> None:
        """A chunk goes to a connection that keeps its own bytes piece by piece, each when the one before is taken."""
        if self.wire is SocketWire:
            return
        wire, most = self.connect(takes=0), 0
        wire.send(self.chunk(0))
        whole = self.unsent(wire)
        while self.unsent(wire):
            most = max(most, wire.unsent)
            wire.take(1000)
        self.assertEqual((wire.received, most), (whole, PIECE_BYTES))

    def test_one_at_a_time(self) -> None:
        """The next request of a pipeline is answered only after the kernel has accepted the last response."""
        wire = self.connect(takes=0)
        wire.send(self.chunk(0) * 41)
        self.assertEqual(len(answers(self.unsent(wire))), 1)
        size = len(self.unsent(wire))
        served = self.session_service.events["served"]
        wire.take(size - SMALL_BUFFER_BYTES - 1)
        self.assertEqual(len(self.unsent(wire)), SMALL_BUFFER_BYTES + 1)
        self.assertEqual(self.session_service.events["served"], served)
        wire.take(SMALL_BUFFER_BYTES + 1)
        self.assertEqual((len(self.unsent(wire)), self.session_service.events["served"]), (size, served + 1))
        wire.take()
        self.assertEqual({answer.raw for answer in answers(wire.received)}, {self.read(self.path, 0).raw})
        self.assertEqual(len(answers(wire.received)), 41)
        self.assertLessEqual(wire.most_unsent, size if isinstance(wire, SocketWire) else PIECE_BYTES)

    def test_not_read(self) -> None:
        """Data that a client sends in the meantime stays in the kernel, except for a small part."""
        for first in (self.chunk(0), self.chunk(0) * 2, self.chunk(0, {})):
            wire = self.connect(takes=0)
            wire.send(first)
            wire.send(self.chunk(0) * 1000)
            self.assertGreater(wire.unread, len(self.chunk(0)) * 1000 - 2 * SMALL_BUFFER_BYTES)

    def test_long_way(self) -> None:
        """The pace is the same for responses of the API, which are not shared: memory is granted for one at a time."""
        wire = self.connect(takes=0)
        wire.send(request("GET", "/metrics") * 50)
        self.assertEqual(len(answers(wire.unsent_bytes)), 1)
        self.assertLessEqual(self.budget.used[RESPONSES], wire.unsent)
        self.assertGreater(self.budget.used[RESPONSES], 0)
        wire.take()
        self.assertEqual([answer.status for answer in answers(wire.received)], [200] * 50)
        self.assertEqual(self.budget.used[RESPONSES], 0)

    def test_without_gzip(self) -> None:
        """All connections that take a chunk without gzip share its bytes, which are granted once and are their own."""
        wires = [self.connect(takes=0) for _ in range(5)]
        for wire in wires:
            wire.send(self.chunk(0, {}) * 2)
        (one,) = {len(self.unsent(wire)) for wire in wires}
        self.assertEqual(self.budget.used[RESPONSES], one)
        for wire in wires:
            wire.take()
            self.assertEqual([answer.status for answer in answers(wire.received)], [200] * 2)
        self.assertEqual(self.budget.used[RESPONSES], 0)

    def test_pipeline_after_body(self) -> None:
        """Requests behind one with a body are answered in order, whichever way they take."""
        for kinds in ((self.chunk(0),), (self.chunk(0, {}), self.chunk(0)), (request("GET", "/health"), self.chunk(0))):
            for takes in (None, 0):
                wire = self.connect(takes)
                wire.send(request("DELETE", "/v1/sessions/absent", {}, b"body") + b"".join(kinds))
                wire.take()
                statuses = [answer.status for answer in answers(wire.received)]
                self.assertEqual(statuses, [404, *[200] * len(kinds)])

    def test_not_read_on(self) -> None:
        """The transport is not asked to read while a response is unsent, even one that was written just then."""
        wire, unsent = self.connect(takes=0), []
        wire.send(self.chunk(0, {}) * 2)
        wire.send(self.chunk(0))
        read_on = wire.resumeProducing
        wire.resumeProducing = lambda: (unsent.append(wire.unsent), read_on())  # type: ignore[method-assign]
        for _ in range(3):
            wire.take(len(self.unsent(wire)))
        self.assertEqual((len(answers(wire.received)), set(unsent)), (3, {0}))

    def test_not_idle(self) -> None:
        """A connection whose response is not yet taken is not idle: it does not make room for others."""
        wire = self.connect(takes=0)
        wire.send(self.chunk(0))
        self.clock.advance(5)
        self.assertEqual((self.site.shed_idle(9), wire.protocol.is_idle, wire.protocol.is_answering), (0, False, True))
        wire.take()
        self.assertEqual((self.site.shed_idle(9), wire.connected), (1, False))

    def test_same_chunk_twice(self) -> None:
        """A chunk is pinned as long as any response with it is unsent."""
        wire, chunk, freed = self.connect(takes=0), blank(0), []
        wire.protocol.write_chunk(chunk)
        chunk.when_unpinned(lambda: freed.append(wire.unsent))
        wire.protocol.write_chunk(chunk)
        self.assertEqual(freed, [])
        wire.take()
        self.assertEqual(len(freed), 1)
        self.assertLessEqual(freed[0], SMALL_BUFFER_BYTES)  # what is left by then is a copy
        self.assertEqual(wire.received, 2 * chunk.answer)

    def test_lost_within_write(self) -> None:
        """A chunk is not pinned for ever if the connection is lost while it is written."""
        wire, chunk, freed = self.connect(takes=0), blank(0), []
        chunk.pin()
        chunk.when_unpinned(lambda: freed.append(True))
        write = wire.write
        wire.write = lambda data: (write(data), wire.hang_up())  # type: ignore[method-assign]
        wire.protocol.write_chunk(chunk)
        chunk.unpin()
        self.assertEqual(freed, [True])

    def test_mixed(self) -> None:
        """A pipeline of mixed requests is answered in order, however slowly the client reads."""
        kinds = [
            self.chunk(0),
            request("GET", "/health"),
            self.chunk(0, {}),
            self.chunk(9),
            request("GET", "/v1/platforms"),
        ]
        wire = self.connect(takes=0)
        wire.send(b"".join(kinds * 5))
        for _ in range(10_000):
            if not wire.unsent:
                break
            wire.take(997)
        self.assertEqual([answer.status for answer in answers(wire.received)], [200, 200, 200, 409, 200] * 5)

    def test_one_request_after_another(self) -> None:
        """A client that waits for each response is answered each time, by the fast path and by the API."""
        wire = self.connect()
        for n in range(3):
            for headers in (GZIP, {}, GZIP):
                wire.received = b""
                wire.send(self.chunk(n, headers))
                self.assertEqual(answers(wire.received)[0].status, 200)

    def test_held(self) -> None:
        """A chunk counts against its window until the kernel has accepted it, even if its session has ended."""
        wire = self.connect(takes=0)
        wire.send(self.chunk(0))
        self.ask("DELETE", self.path)
        self.drop_all()
        self.assertGreater(self.budget.used[WINDOW], 0)
        wire.take()
        self.assertEqual(self.budget.used[WINDOW], 0)

    def test_held_until_hung_up(self) -> None:
        """A chunk no longer counts against its window once the client has disconnected."""
        self.ask("DELETE", self.path)
        for headers in (GZIP, {**GZIP, "X-Long": "way", "Expect": ""}):
            path = self.open()
            wire = self.connect(takes=10)
            wire.send(self.chunk(0, headers, path))
            self.ask("DELETE", path)
            self.drop_all()
            self.assertGreater(self.budget.used[WINDOW], 0)
            wire.hang_up()
            self.assertEqual(self.budget.used[WINDOW], 0)

    def drop_all(self) -> None:
        """Want so much memory that every chunk is dropped that nobody reads."""
        self.budget.take(RESPONSES, 1 << 40)


class StallingTests(ChannelCase):
    """Connections of clients that stall."""

    def test_silent(self) -> None:
        """A connection without a request is closed after a timeout."""
        wire = self.connect()
        self.clock.advance(IDLE - 1)
        self.assertTrue(wire.connected)
        self.clock.advance(1)
        self.assertFalse(wire.connected)

    def test_half_a_request(self) -> None:
        """A connection with half a request is closed as well."""
        wire = self.connect()
        wire.send(self.chunk(0)[:-4])
        self.clock.advance(IDLE)
        self.assertFalse(wire.connected)

    def test_busy(self) -> None:
        """A connection with a request now and then stays open, by the fast path and by the API."""
        for headers in (GZIP, {}):
            wire = self.connect()
            for _ in range(5):
                self.clock.advance(IDLE - 1)
                wire.send(self.chunk(0, headers))
            self.assertTrue(wire.connected)
            self.assertEqual(len(answers(wire.received)), 5)

    def test_does_not_read(self) -> None:
        """
        A client that does not read its response is disconnected even if it sends requests; its memory is released.
        """
        for headers, count in ((GZIP, 1), (GZIP, 3), ({}, 1), ({}, 3)):
            wire = self.connect(takes=100)
            wire.send(self.chunk(0, headers) * count)
            self.assertGreater(wire.unsent, 0)
            for _ in range(IDLE - 1):
                self.clock.advance(1)
                wire.send(b"GET")
            self.assertTrue(wire.connected)
            self.clock.pump([1] * 6)
            self.assertFalse(wire.connected)
        self.assertEqual((self.budget.used[RESPONSES], self.budget.used[CONNECTIONS]), (0, 0))

    def test_parked(self) -> None:
        """A connection whose request waits for a response is not closed as idle."""
        self.limits = Limits(max_active=1, session_timeout=1000, queue_timeout=1000, chunk_timeout=1000)
        self.start()
        self.successResultOf(self.started())
        self.open()
        wire = self.connect()
        wire.send(self.chunk(0, {**GZIP, "Prefer": "wait=25"}, self.open()))
        self.clock.advance(24)
        self.assertTrue(wire.connected)
        self.clock.advance(1)
        self.assertEqual(answers(wire.received)[0].status, 202)


class MemoryTests(ChannelCase):
    """The memory of connections."""

    def test_given_back(self) -> None:
        """The memory of a connection is granted when it opens, and released when it closes."""
        wires = [self.connect() for _ in range(3)]
        self.assertEqual(self.budget.used[CONNECTIONS], 3 * CONNECTION_BYTES)
        for wire in wires:
            wire.hang_up()
        self.assertEqual((self.budget.used[CONNECTIONS], self.site.channels), (0, set()))

    def test_none_left(self) -> None:
        """A connection for which there is no memory is answered with a time for the retry, and closed."""
        self.budget.take(CONNECTIONS, self.budget.free(CONNECTIONS))
        wire = self.connect()
        (answer,) = answers(wire.received)
        self.refused(answer, 503, "memory-limit")
        self.assertEqual((answer.headers["retry-after"], wire.connected), ("10", False))


class DrainTests(ChannelCase):
    """Draining a server that stops."""

    def test_idle(self) -> None:
        """Idle connections are closed at once."""
        wire = self.connect()
        draining = ensureDeferred(self.site.drain())
        self.assertFalse(wire.connected)
        self.clock.pump([0.05])
        self.successResultOf(draining)

    def test_finishes(self) -> None:
        """A response that is being sent is completed before its connection is closed."""
        wire = self.connect(takes=0)
        wire.send(self.chunk(0))
        draining = ensureDeferred(self.site.drain())
        self.clock.pump([0.05] * 20)
        self.assertNoResult(draining)
        wire.take()
        self.clock.pump([0.05] * 2)
        self.successResultOf(draining)
        self.assertEqual(answers(wire.received)[0].status, 200)
        self.assertFalse(wire.connected)

    def test_parked(self) -> None:
        """A request that waits for a response is answered before its connection is closed."""
        self.limits = Limits(max_active=1)
        self.start()
        self.successResultOf(self.started())
        active, wire = self.open(), self.connect()
        wire.send(self.chunk(0, {**GZIP, "Prefer": "wait=20"}, self.open()))
        draining = ensureDeferred(self.site.drain())
        self.clock.pump([0.05] * 20)
        self.assertTrue(wire.connected)
        self.session_service.close(active.rpartition("/")[2])
        self.clock.pump([0.05] * 2)
        self.successResultOf(draining)
        self.assertEqual(answers(wire.received)[0].status, 200)

    def test_order(self) -> None:
        """A plain request for a chunk does not overtake an earlier request that waits for its response."""
        self.limits = Limits(max_active=1)
        self.start()
        self.successResultOf(self.started())
        active, waiting, wire = self.open(), self.open(), self.connect()
        wire.send(request("GET", waiting, {"Prefer": "wait=5"}))
        wire.send(self.chunk(0, path=active))
        self.assertEqual(wire.received, b"")
        self.clock.advance(5)
        found = [answer.headers["content-type"] for answer in answers(wire.received)]
        self.assertEqual(found, ["application/json", "application/x-ndjson"])

    def test_bounded(self) -> None:
        """A client that does not read cannot keep a server from stopping."""
        wires = [self.connect(takes=0) for _ in range(2)]
        wires[0].send(self.chunk(0))
        wires[1].send(self.chunk(0, {}))
        draining = ensureDeferred(self.site.drain())
        self.clock.pump([0.05] * 110)
        self.successResultOf(draining)
        self.assertEqual([wire.connected for wire in wires], [False, False])


class PastTheBuffer(ChannelCase):
    """Connections whose chunks are sent past the buffer of the transport."""

    wire = SocketWire

    def setUp(self) -> None:
        self.patch(channel, "can_send_now", lambda transport: True)
        super().setUp()


class PastTheBufferPacingTests(PastTheBuffer, PacingTests):
    """The pace is the same."""

    def test_lost_within_write(self) -> None:
        """A chunk is not pinned for ever if the connection is lost while its bytes are passed on."""
        wire, chunk, freed = self.connect(takes=0), blank(0), []
        chunk.pin()
        chunk.when_unpinned(lambda: freed.append(True))
        wire.startWriting = wire.hang_up  # type: ignore[attr-defined]
        wire.protocol.write_chunk(chunk)
        chunk.unpin()
        self.assertEqual(freed, [True])

    def test_part_is_taken(self) -> None:
        """A response of which the kernel takes a part is continued where it ended; its chunk is pinned as long."""
        wire, freed = self.connect(takes=100), []
        chunk = blank(0)
        wire.protocol.write_chunk(chunk)
        chunk.when_unpinned(lambda: freed.append(wire.unsent))
        self.assertEqual((wire.received, wire.unsent, freed), (chunk.answer[:100], chunk.size - 100, []))
        wire.take(chunk.size - 101)
        self.assertEqual((wire.unsent, freed), (1, []))
        wire.take(1)
        self.assertEqual((wire.received, freed), (chunk.answer, [0]))


class PastTheBufferStallingTests(PastTheBuffer, StallingTests):
    """So is the time that clients have."""


class PastTheBufferDrainTests(PastTheBuffer, DrainTests):
    """So is the end."""
