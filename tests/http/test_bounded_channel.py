"""Tests for :mod:`patches.http.bounded_channel`."""

from __future__ import annotations

import json
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from patches.http.bounded_channel import MOST_FIELDS, MOST_HEAD_BYTES, MOST_TARGET_BYTES, MOST_TRAILER_BYTES
from patches.http.bounded_site import BoundedSite
from patches.http.turns import SLICE_SECONDS
from patches.service.budget import Budget
from tests.http.test_authority import INVALID, VALID
from tests.server.memory_transport import Answer, Wire, answers

WHOLE = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"


class Seen(Resource):
    """Notes the requests; those for ``/wait`` are not answered before they are told to."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[Any] = []
        self.waiting: list[Any] = []

    def render(self, request: Any) -> Any:
        """Answer the path."""
        self.requests.append(request)
        if request.path == b"/wait":
            self.waiting.append(request)
            return NOT_DONE_YET
        body: bytes = request.path
        request.setHeader("Content-Length", str(len(body)))
        return body


class ChannelTests(SynchronousTestCase):
    """A connection to a site that keeps the field ``Prefer``."""

    def setUp(self) -> None:
        self.seen = Seen()
        self.clock = Clock()
        self.budget = Budget(1 << 20)
        self.site = BoundedSite(self.seen, self.budget, self.clock)
        self.site.kept_fields = frozenset((b"prefer",))

    def connect(self) -> Wire:
        """Connect a client."""
        return Wire(self.site.buildProtocol(None))

    def send(self, data: bytes) -> Wire:
        """Send bytes over a new connection."""
        wire = self.connect()
        wire.send(data)
        return wire

    def refused(self, data: bytes, status: int, code: str) -> None:
        """Check that bytes are refused once, as JSON, and that the connection is closed."""
        others = len(self.site)
        wire = self.send(data)
        (answer,) = answers(wire.received)
        self.assertEqual((answer.status, json.loads(answer.body)["error"]["code"]), (status, code), data[:60])
        self.assertFalse(wire.connected)
        self.assertEqual(self.seen.requests, [])
        self.assertEqual(len(self.site), others)

    def accepted(self, data: bytes) -> Answer:
        """Check that bytes are one request that is answered. Return the response."""
        (answer,) = answers(self.send(data).received)
        self.assertEqual(answer.status, 200, data[:60])
        return answer

    def test_most_fields(self) -> None:
        """A request may have so many fields, and not one more, whether they are kept or not."""
        for name in (b"X-Any", b"Prefer"):
            head = b"GET / HTTP/1.1\r\nHost: a\r\n" + b"%s: b\r\n" % name * (MOST_FIELDS - 1)
            self.accepted(head + b"\r\n")
            self.seen.requests.clear()
            self.refused(head + b"X-One: b\r\n\r\n", 431, "head-too-large")

    def test_longest_head(self) -> None:
        """A head may be so long, and not one byte longer, in one field or in many."""
        for fields in (1, 30):
            start = b"GET / HTTP/1.1\r\nHost: a\r\n" + b"A: b\r\n" * fields
            room = MOST_HEAD_BYTES - len(start) - len(b"B: \r\n\r\n")
            self.accepted(start + b"B: " + b"x" * room + b"\r\n\r\n")
            self.seen.requests.clear()
            self.refused(start + b"B: " + b"x" * (room + 1) + b"\r\n\r\n", 431, "head-too-large")

    def test_endless(self) -> None:
        """A line or a head without end is refused when it is too long, also if it comes byte by byte."""
        self.refused(b"GET /" + b"a" * MOST_HEAD_BYTES, 414, "target-too-long")
        self.refused(b"GET / HTTP/1.1\r\nHost: " + b"a" * MOST_HEAD_BYTES, 431, "head-too-large")
        for start, status in ((b"", 400), (b"GET /", 414)):
            wire = self.connect()
            wire.send(start)
            for _ in range(MOST_HEAD_BYTES + 10):
                wire.send(b"a")
            self.assertEqual([each.status for each in answers(wire.received)], [status])

    def test_longest_target(self) -> None:
        """A target may be so long, in either form, and not one byte longer, which the answer says."""
        for start in (b"/", b"http://a/"):
            target = start + b"x" * (MOST_TARGET_BYTES - len(start))
            self.accepted(b"GET " + target + b" HTTP/1.1\r\nHost: a\r\n\r\n")
            self.seen.requests.clear()
            for more in (b"x", b"x" * 200, b"x" * 10_000):
                self.refused(b"GET " + target + more + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414, "target-too-long")
        wire = self.send(b"GET /" + b"x" * 5_000)
        self.assertIn(b"the target of the request is longer than 4000 bytes", wire.received)

    def test_long_request_line(self) -> None:
        """A request line that is too long otherwise, by its method or its version, is malformed."""
        for line in (
            b"G" * 5_000,
            b"G" * 5_000 + b" / HTTP/1.1\r\n\r\n",
            b"GET / HTTP/1." + b"1" * 5_000,
            b"GET / HTTP/1.1 " + b"x" * 5_000 + b"\r\n\r\n",
            b"G" * 200 + b" /" + b"x" * 3_950 + b" HTTP/1.1\r\n\r\n",
            b" " * 5_000,
        ):
            self.refused(line, 400, "malformed")

    def test_head_only(self) -> None:
        """A refusal of a request for a head has none but the head, with the length of what it stands for."""
        for rest, status in (
            (b"/" + b"a" * 5_000, 414),
            (b"/" + b"a" * 4_010 + b" HTTP/1.1\r\n", 414),
            (b"/ HTTP/1.1\r\nHost : a\r\n\r\n", 400),
            (b"/ HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
            (b"/ HTTP/1.1\r\nA: " + b"a" * 5_000, 431),
        ):
            (answer,) = answers(self.send(b"HEAD " + rest).received, head_only=True)
            self.assertEqual((answer.status, answer.raw[-4:]), (status, b"\r\n\r\n"))
            self.assertGreater(int(answer.headers["content-length"]), 40)
        wire = self.send(b"HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n")
        wire.received = b""
        wire.send(b"\r\n")
        wire.protocol.refuse(b"408 Request Timeout", "timeout", "late")
        self.assertIn("error", json.loads(answers(wire.received)[0].body))

    def test_fields_of_refusals(self) -> None:
        """The answers of the parser have the fields of every other answer, with the time of day."""
        self.site.wall = lambda: 1_000_000_000.0
        for data in (b"GET / HTTP/1.1\r\n\r\n", b"GET /\r\n\r\n", b"GET /" + b"a" * 5_000, b"\x00" * 5_000):
            (answer,) = answers(self.send(data).received)
            told = {name: answer.headers[name] for name in ("date", "server", "connection", "content-type")}
            expected = ("Sun, 09 Sep 2001 01:46:40 GMT", "Patches", "close", "application/json")
            self.assertEqual(tuple(told.values()), expected)

    def test_each_request_by_itself(self) -> None:
        """The ceilings hold for each request of a connection."""
        head = b"GET / HTTP/1.1\r\nHost: a\r\n" + b"A: %s\r\n" % (b"b" * 80) * (MOST_FIELDS - 1) + b"\r\n"
        wire = self.send(head * 5)
        self.assertEqual([each.status for each in answers(wire.received)], [200] * 5)

    def test_kept(self) -> None:
        """Fields that no resource reads are dropped; those that are kept have all their values."""
        self.accepted(b"GET / HTTP/1.1\r\nHost: a\r\nCookie: c\r\nPrefer: d\r\nX-Any: e\r\nprefer: f\r\n\r\n")
        names = [name.lower() for name, _ in self.seen.requests[0].requestHeaders.getAllRawHeaders()]
        self.assertEqual(sorted(names), [b"host", b"prefer"])
        self.assertEqual(self.seen.requests[0].requestHeaders.getRawHeaders(b"prefer"), [b"d", b"f"])

    def test_no_form(self) -> None:
        """A body is never parsed as a form."""
        form = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 7\r\n\r\n"
        self.accepted(b"POST / HTTP/1.1\r\nHost: a\r\n" + form + b"a=1&b=2")
        self.assertEqual(self.seen.requests[0].args, {})

    def test_malformed(self) -> None:
        """Bytes that may be read in two ways are refused (RFC 9112 sections 5.1, 5.2, 6.1)."""
        for head in (
            b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n",
            b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n0",
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
            b"GET /\r\n\r\n",
            b"GET / HTTP/1\r\n\r\n",
            b"GET / HTTP/1.10\r\n\r\n",
            b"GET / http/1.1\r\n\r\n",
            b"GET / HTCPCP/1.1\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n",
            b"\x16",
        ):
            self.refused(head, 400, "malformed")

    def test_versions(self) -> None:
        """A later minor version is taken as HTTP/1.1; another major version is not spoken (RFC 9110 section 2.5)."""
        for later in (b"1.2", b"1.9"):
            self.assertEqual(self.accepted(b"GET /a HTTP/" + later + b"\r\nHost: a\r\n\r\n").body, b"/a")
        self.seen.requests.clear()
        for other in (b"GET / HTTP/2.0", b"GET / HTTP/0.9", b"GET / HTTP/3.0", b"PRI * HTTP/2.0"):
            self.refused(other + b"\r\n\r\n", 505, "http-version")

    def test_trailer(self) -> None:
        """The trailer of a chunked body is bounded, and so are the extensions of a chunk."""
        head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"
        self.accepted(head + b"A: b\r\n\r\n")
        self.seen.requests.clear()
        self.refused(head + b"A: " + b"b" * MOST_TRAILER_BYTES + b"\r\n\r\n", 400, "malformed")
        self.refused(head + b"A: b\r\n" * MOST_TRAILER_BYTES, 400, "malformed")
        self.refused(head[:-8] + b"1;" + b"a" * 2000, 400, "malformed")

    def test_absolute_form(self) -> None:
        """A target with a scheme and a host is that of its path (RFC 9112 section 3.2.2)."""
        for target, path in (
            (b"http://server:8080/health", b"/health"),
            (b"HTTPS://server/a/b?c=d", b"/a/b"),
            (b"http://server", b"/"),
            (b"http://server?a=b", b"/"),
        ):
            self.assertEqual(self.accepted(b"GET " + target + b" HTTP/1.1\r\nHost: server\r\n\r\n").body, path)

    def test_other_forms(self) -> None:
        """Other targets are no paths."""
        for target in (b"*", b"server:443", b"ftp://server/", b"health", b"ws://server/", b"httpx://server/"):
            self.refused(b"GET " + target + b" HTTP/1.1\r\nHost: server\r\n\r\n", 400, "malformed")
        for target in (b"server:443", b"ftp://server/", b"/a*", b"**"):
            self.assertNotEqual(
                self.send(b"OPTIONS " + target + b" HTTP/1.1\r\nHost: a\r\n\r\n").received[9:12], b"204"
            )

    def test_authority(self) -> None:
        """A host that is none, in the field or in the target, is malformed (RFC 9112 section 3.2, RFC 3986)."""
        for host in (each for each in INVALID if len(each) < 100):
            if b"\t" not in host:
                self.refused(b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n", 400, "malformed")
            if not set(host) & set(b" \t/?#"):
                self.refused(b"GET http://" + host + b"/a HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed")
        for target in (b"http:///a", b"http://", b"http://?a", b"http:/a", b"http:a"):
            self.refused(b"GET " + target + b" HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed")
        self.refused(b"GET http://a/ HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "malformed")
        self.refused(b"GET http://a/ HTTP/1.1\r\n\r\n", 400, "malformed")
        for host in VALID:
            self.assertEqual(self.accepted(b"GET /a HTTP/1.1\r\nHost: " + host + b"\r\n\r\n").body, b"/a")
            self.accepted(b"GET http://" + host + b"/a HTTP/1.1\r\nHost:\r\n\r\n")

    def test_asterisk(self) -> None:
        """The server itself can be asked for its options, also by an absolute form without a path."""
        for target in (b"*", b"http://server", b"https://server:80"):
            self.accepted(b"OPTIONS " + target + b" HTTP/1.1\r\nHost: server\r\n\r\n")
            self.assertEqual(self.seen.requests[-1].path, b"*")
        for target in (b"http://server/", b"http://server?a"):
            self.accepted(b"OPTIONS " + target + b" HTTP/1.1\r\nHost: server\r\n\r\n")
            self.assertEqual(self.seen.requests[-1].path, b"/")

    def test_http_1_0(self) -> None:
        """A request of HTTP/1.0 needs no Host; its connection is closed after the response."""
        wire = self.send(b"GET /a HTTP/1.0\r\n\r\n")
        self.assertEqual((answers(wire.received)[0].body, wire.connected), (b"/a", False))

    def test_too_many(self) -> None:
        """Many parameters or segments, whose values would be kept while a request waits, are refused."""
        for target, status in (
            (b"/?" + b"&".join([b"a"] * 32), 200),
            (b"/?" + b"&".join([b"a"] * 33), 400),
            (b"/a" * 32, 200),
            (b"/a" * 33, 404),
        ):
            wire = self.send(b"GET " + target + b" HTTP/1.1\r\nHost: server\r\n\r\n")
            self.assertEqual([each.status for each in answers(wire.received)], [status], target)
            self.assertTrue(wire.connected, target)

    def test_after_a_refusal(self) -> None:
        """Data behind a refused request is not read, also if it is sent at once."""
        wire = self.send(b"GET / HTTP/1.1\r\nHost : a\r\n\r\n" + b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertEqual(len(answers(wire.received)), 1)
        self.assertEqual(self.seen.requests, [])

    def test_ahead(self) -> None:
        """While a request is answered, what follows is left in the kernel, but for what one read has brought."""
        wire = self.send(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
        wire.send(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
        wire.send(b"GET /b HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertGreater(wire.unread, 0)
        (waiting,) = self.seen.waiting
        waiting.setHeader("Content-Length", "0")
        waiting.finish()
        self.assertEqual([each.body for each in answers(wire.received)], [b"", b"/a", b"/b"])

    def slow(self) -> None:
        """Make each request take a moment."""
        render = self.seen.render

        def slow(request: Any) -> Any:
            self.clock.rightNow += SLICE_SECONDS  # within an iteration of the reactor: nothing is called
            return render(request)

        self.seen.render = slow  # type: ignore[method-assign]

    def test_turns(self) -> None:
        """Connections that pipeline are served in turn, one request each, and a new one is not behind all of them."""
        self.slow()
        wires = [self.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % n for n in range(4))) for _ in range(3)]
        told = [[len(answers(wire.received)) for wire in wires]]
        self.accepted(WHOLE)
        while len(self.site.turns):
            self.clock.advance(0)
            told.append([len(answers(wire.received)) for wire in wires])
        self.assertLessEqual({max(each) - min(each) for each in told[1:]}, {0, 1})
        self.assertEqual(told[-1], [4, 4, 4])
        for wire in wires:
            self.assertEqual([each.body for each in answers(wire.received)], [b"/0", b"/1", b"/2", b"/3"])
            self.assertTrue(wire.connected)

    def test_waits_for_its_turn(self) -> None:
        """A connection that waits for its turn is not idle, half read or read on, and may end meanwhile."""
        self.slow()
        ended, goes_on = (self.send(WHOLE * 4 + WHOLE[:9]) for _ in range(2))
        for wire in (ended, goes_on):
            channel = wire.protocol
            self.assertEqual((channel.is_idle, channel.is_half_read, channel.is_answering), (False, False, True))
            self.assertEqual((channel.gives_way, self.site.half_read), (False, 0))
        goes_on.send(WHOLE[9:20])
        goes_on.send(WHOLE[20:] + WHOLE)
        self.assertGreater(goes_on.unread, 0)
        ended.hang_up()
        before = len(self.seen.requests)
        while len(self.site.turns):
            self.clock.advance(0)
        self.assertEqual((len(answers(goes_on.received)), goes_on.unread), (6, 0))
        self.assertEqual(len(self.seen.requests) - before, 5)
        goes_on.send(WHOLE)
        self.assertEqual(len(answers(goes_on.received)), 7)

    def test_turn_of_half_a_request(self) -> None:
        """The beginning of a request behind the last whole one is half read once its turn has come."""
        self.slow()
        wire = self.send(WHOLE * 2 + WHOLE[:9])
        while len(self.site.turns):
            self.clock.advance(0)
        self.assertEqual((len(answers(wire.received)), self.site.half_read), (2, 1))
        wire.send(WHOLE[9:])
        self.assertEqual((len(answers(wire.received)), self.site.half_read), (3, 0))

    def test_no_circle(self) -> None:
        """A connection that ends in the middle of a body leaves nothing that only the garbage collector would find."""
        wire = self.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab")
        channel = wire.protocol
        wire.hang_up()
        self.assertEqual((channel.requests, channel._transferDecoder), ([], None))

    def test_answered(self) -> None:
        """A Deferred that is never fired does not keep a connection from being noticed as lost."""
        wire = self.send(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
        ended: list[Any] = []
        lost: Deferred[None] = self.seen.waiting[0].notifyFinish()
        lost.addErrback(ended.append)
        wire.hang_up()
        self.assertEqual((len(ended), len(self.site)), (1, 0))
