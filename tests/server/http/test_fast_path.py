"""Tests for :mod:`patches.server.http.fast_path`: its responses are the same as those of the API."""

from __future__ import annotations

import json

from patches.server.http.fast_path import wants_plain_gzip
from tests.server.channel_case import ChannelCase
from tests.server.memory_transport import Wire, answers, request
from tests.server.server_case import GZIP


class ShortWayTests(ChannelCase):
    """The fast path to a chunk gives the same response as the API."""

    def long_way(self, n: int, path: str = "") -> bytes:
        """Return the response of the API."""
        wire = self.connect()
        wire.send(self.chunk(n, {**GZIP, "Expect": ""}, path))
        return wire.received

    def test_same_bytes(self) -> None:
        """The fast path and the API send identical bytes for each chunk, and the same body for the end."""
        for n in range(3):
            long = self.long_way(n)
            wire = self.connect()
            wire.send(self.chunk(n))
            self.assertEqual(wire.received, long)
            self.assertEqual(answers(long)[0].status, 200)
        wire = self.connect()
        wire.send(self.chunk(3))
        self.assertEqual(answers(wire.received)[0].body, answers(self.long_way(3))[0].body)

    def test_switched_off(self) -> None:
        """With the fast path switched off every response is the same."""
        for n in range(3):
            self.site.fast_path = True
            fast = self.connect()
            fast.send(self.chunk(n))
            self.site.fast_path = False
            slow = self.connect()
            slow.send(self.chunk(n))
            self.assertEqual(slow.received, fast.received)

    def test_errors(self) -> None:
        """A chunk that cannot be served gets the same error response as from the API."""
        for path, n in ((self.path, 2), ("/v1/sessions/x", 0), (self.path, 4)):
            wire = self.connect()
            wire.send(self.chunk(n, path=path))
            (short,), (long,) = answers(wire.received), answers(self.long_way(n, path))
            self.assertEqual((short.status, short.body), (long.status, long.body))
            self.assertGreaterEqual(short.status, 400)

    def test_shared(self) -> None:
        """The fast path writes the very bytes that all sessions share, not a copy."""
        token = self.path.rpartition("/")[2]
        self.read(self.path, 0)
        loaded = self.session_service.read_cached(token, 0)
        assert loaded is not None
        protocol = self.site.buildProtocol(None)
        Wire(protocol)
        written = []
        protocol.transport.write = written.append
        protocol.dataReceived(self.chunk(0))
        self.assertIs(written[0], loaded.answer)

    def test_which_requests(self) -> None:
        """Only a request that accepts gzip and has no unusual header field takes the fast path."""
        for fields in ("Accept-Encoding: gzip", "host: x\r\naccept-encoding: br, GZIP", "X: y\r\nAccept-Encoding:gzip"):
            self.assertTrue(wants_plain_gzip(fields.encode() + b"\r\n"), fields)
        for fields in ("Connection: keep-alive", "connection: Keep-Alive"):
            self.assertTrue(wants_plain_gzip(fields.encode() + b"\r\nAccept-Encoding: gzip\r\n"), fields)
        odd = ("Connection: close", "Content-Length: 3", "Transfer-Encoding: chunked", "Expect: 100-continue")
        odd += ("Upgrade: h2c", "Range: bytes=0-1", "Accept-Encoding: br", "Connection: keep-alive, close")
        for fields in odd:
            self.assertFalse(wants_plain_gzip(fields.encode() + b"\r\nAccept-Encoding: gzip\r\n"), fields)
        for fields in ("", "Accept-Encoding: br\r\n", "Accept-Encoding: gzip;q=0\r\n"):
            self.assertFalse(wants_plain_gzip(fields.encode()), fields)

    def test_close(self) -> None:
        """A connection is closed after the response if the client asks for that."""
        for value in ("close", "Close"):
            wire = self.connect()
            wire.send(self.chunk(0, {**GZIP, "Connection": value}))
            self.assertEqual((answers(wire.received)[0].status, wire.connected), (200, False))

    def test_nothing_after_close(self) -> None:
        """
        A request after one that closes the connection is not answered, even if it arrives before the response is sent.
        """
        wire = self.connect(takes=0)
        wire.send(self.chunk(0, {**GZIP, "Connection": "close"}))
        wire.send(self.chunk(0))
        wire.take()
        self.assertEqual((len(answers(wire.received)), wire.connected), (1, False))

    def test_old_http(self) -> None:
        """A client of HTTP/1.0 is answered, and its connection is closed."""
        wire = self.connect()
        wire.send(self.chunk(0).replace(b"HTTP/1.1", b"HTTP/1.0"))
        self.assertEqual((answers(wire.received)[0].status, wire.connected), (200, False))


class BoundariesTests(ChannelCase):
    """Requests that arrive in pieces."""

    def setUp(self) -> None:
        super().setUp()
        self.path = self.open("alpine-3.20")
        self.requests = [
            self.chunk(0),
            request("GET", "/health"),
            request("POST", "/v1/sessions", body=json.dumps({"platform": "none-1"}).encode()),
            self.chunk(0, {}),
            self.chunk(9),
            self.chunk(0),
        ]

    def answered(self, *pieces: bytes) -> list[tuple[int, bytes]]:
        """Send pieces on one connection; return the status and body of each response."""
        wire = self.connect()
        for piece in pieces:
            wire.send(piece)
        found = [(answer.status, answer.body) for answer in answers(wire.received)]
        wire.hang_up()
        return found

    def test_every_boundary(self) -> None:
        """The responses are the same wherever a series of requests is split in two."""
        whole = b"".join(self.requests)
        expected = self.answered(*self.requests)
        self.assertEqual([status for status, _ in expected], [200, 200, 404, 200, 409, 200])
        self.assertEqual(self.answered(whole), expected)
        for position in range(1, len(whole)):
            self.assertEqual(self.answered(whole[:position], whole[position:]), expected, position)

    def test_byte_by_byte(self) -> None:
        """The responses are the same if the requests arrive byte by byte."""
        whole = b"".join(self.requests)
        pieces = [whole[position : position + 1] for position in range(len(whole))]
        self.assertEqual(self.answered(*pieces), self.answered(whole))

    def test_half_before(self) -> None:
        """Data that follows half a request belongs to that request."""
        (answer,) = self.answered(b"GET /health HTTP/1.1\r\nX: ", b"y\r\n\r\n")
        self.assertEqual(answer[0], 200)
        wire = self.connect()
        wire.send(b"GE")
        wire.send(self.chunk(0))
        self.assertNotIn(b" 200 ", wire.received)

    def test_empty_lines(self) -> None:
        """An empty line before a request is ignored."""
        self.assertEqual([status for status, _ in self.answered(b"\r\n", self.chunk(0))], [200])
