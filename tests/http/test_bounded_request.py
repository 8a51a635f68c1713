"""Tests for :mod:`patches.http.bounded_request`."""

from __future__ import annotations

import json
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource

from patches.http.bounded_request import closing_answer
from patches.http.bounded_site import BoundedSite
from patches.service.budget import Budget
from tests.server.memory_transport import Answer, Wire, answers, request


class Echo(Resource):
    """Returns the body of a request."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.paths: list[bytes] = []

    def render(self, request: Any) -> bytes:
        """Return the body of the request."""
        self.paths.append(request.path)
        body: bytes = request.content.read()
        request.setHeader("Content-Length", str(len(body)))
        return body


class BoundedTests(SynchronousTestCase):
    """Bodies of ten bytes."""

    def setUp(self) -> None:
        self.echo = Echo()
        self.site: Any = BoundedSite(self.echo, Budget(1 << 20), Clock())
        self.site.max_body = 10
        self.wire = Wire(self.site.buildProtocol(None))

    def answer(self) -> Answer:
        """Return the only response."""
        (answer,) = answers(self.wire.received)
        return answer

    def test_fits(self) -> None:
        """A body of exactly the longest length is accepted, and the connection stays open."""
        self.wire.send(request("POST", "/", body=b"0123456789"))
        self.assertEqual(self.answer().body, b"0123456789")
        self.assertTrue(self.wire.connected)

    def test_host(self) -> None:
        """A request must have one Host; of HTTP/1.0 also none."""
        for head, status in (
            (b"GET / HTTP/1.1\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n", 400),
            (b"GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost: \xe9\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost: a b\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost: a/b\r\n", 400),
            (b"GET / HTTP/1.0\r\n", 200),
            (b"GET / HTTP/1.1\r\nHost:\r\n", 200),
            (b"GET / HTTP/1.1\r\nHost: [::1]:8080\r\n", 200),
            (b"GET / HTTP/1.1\r\nHost: a\r\n", 200),
        ):
            self.setUp()
            self.wire.send(head + b"\r\n")
            self.assertEqual(self.answer().status, status, head)
            self.assertEqual(
                (self.wire.connected, bool(self.echo.paths)),
                (status == 200 and b"HTTP/1.1" in head, status == 200),
            )

    def test_fields(self) -> None:
        """A field with bytes outside ASCII can be read, as bytes or as text; a field that nobody reads is dropped."""
        found: list[object] = []
        self.patch(Echo, "render", lambda _, asked: found.extend(map(asked.getHeader, ("x", b"x", "y", b"y"))) or b"")
        self.site.kept_fields = frozenset((b"x",))
        self.wire.send(b"GET / HTTP/1.1\r\nHost: a\r\nX: \xe9\r\nY: a\r\n\r\n")
        self.assertEqual(found, ["\xe9", b"\xe9", None, None])

    def test_server(self) -> None:
        """A response does not name the version of a library."""
        self.wire.send(request("POST", "/", body=b"x"))
        self.assertEqual(self.answer().headers["server"], "Patches")

    def test_slashes(self) -> None:
        """A path that begins with two slashes is not found."""
        self.wire.send(request("GET", "//health"))
        self.assertEqual((self.answer().status, json.loads(self.answer().body)["error"]["code"]), (404, "not-found"))
        self.assertEqual((self.echo.paths, self.wire.connected), ([], True))

    def test_goes_on(self) -> None:
        """A connection goes on after requests that were framed well and cannot be routed; answers are in order."""
        odd = [
            (request("GET", "//x"), 404),
            (request("POST", "//x", {}, b"body"), 404),
            (request("GET", "/%2fx"), 404),
            (request("GET", "/a" * 40), 404),
            (request("GET", "/?" + "&" * 40), 400),
            (request("GET", "/%ff"), 400),
        ]
        self.wire.send(b"".join(data + request("GET", "/a") for data, _ in odd))
        statuses = [answer.status for answer in answers(self.wire.received)]
        self.assertEqual(statuses, [each for _, status in odd for each in (status, 200)])
        self.assertTrue(self.wire.connected)
        for answer in answers(self.wire.received):
            self.assertTrue({"date", "server", "content-length"} <= answer.headers.keys(), answer.headers)

    def test_goes_on_after_a_head(self) -> None:
        """An error for HEAD has no body, and its length."""
        self.wire.send(request("HEAD", "//x"))
        (answer,) = answers(self.wire.received, head_only=True)
        self.assertEqual((answer.status, answer.raw[-4:], self.wire.connected), (404, b"\r\n\r\n", True))
        self.wire.received = b""
        self.wire.send(request("POST", "/", {}, b"a"))
        self.assertEqual(self.answer().body, b"a")

    def test_too_long(self) -> None:
        """A body that is one byte longer is refused, and the connection closed; the resource never receives it."""
        self.wire.send(request("POST", "/", body=b"0123456789a"))
        answer = self.answer()
        self.assertEqual((answer.status, answer.headers["connection"]), (413, "close"))
        self.assertEqual(json.loads(answer.body)["error"]["code"], "too-large")
        self.assertEqual((self.wire.connected, self.echo.paths), (False, []))

    def test_in_pieces(self) -> None:
        """A body that is announced as too long is refused once, before any of it is sent, and is not invited."""
        for more in ({}, {"Expect": "100-continue"}):
            self.setUp()
            whole = request("POST", "/", more, body=b"x" * 1000)
            end = len(whole) - 1000
            for position in range(end - 1):
                self.wire.send(whole[position : position + 1])
            self.assertEqual(self.wire.received, b"")
            self.wire.send(whole[end - 1 : end])
            self.assertEqual(self.answer().status, 413)
            self.wire.send(whole[end:])
            self.assertEqual(self.answer().status, 413)

    def test_chunked(self) -> None:
        """A body without an announced length is bounded too."""
        head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        self.wire.send(head + b"5\r\n01234\r\n6\r\n56789a\r\n0\r\n\r\n")
        self.assertEqual((self.answer().status, self.echo.paths), (413, []))

    def test_chunked_fits(self) -> None:
        """A short body without an announced length is accepted."""
        head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        self.wire.send(head + b"5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n")
        self.assertEqual(self.answer().body, b"0123456789")

    def test_each_its_own(self) -> None:
        """Each request of a connection has its own bound."""
        for _ in range(3):
            self.wire.send(request("POST", "/", body=b"01234567"))
        self.assertEqual([answer.status for answer in answers(self.wire.received)], [200] * 3)

    def test_path(self) -> None:
        """A path that is not UTF-8 is malformed."""
        for path in ("/%ff", "/%e4", "/a%ff?b=c"):
            self.setUp()
            self.wire.send(request("GET", path))
            self.assertEqual(json.loads(self.answer().body)["error"]["code"], "malformed")
            self.assertEqual((self.answer().status, self.wire.connected, self.echo.paths), (400, True, []))

    def test_quoted_path(self) -> None:
        """A path in UTF-8 is accepted."""
        self.wire.send(request("GET", "/%c3%a4"))
        self.assertEqual(self.answer().status, 200)


class ClosingAnswerTests(SynchronousTestCase):
    """Responses to requests that are refused before routing."""

    def test_whole(self) -> None:
        """The response is complete, and contains the given header fields."""
        written = closing_answer(b"503 Service Unavailable", "memory-limit", "full", (b"Retry-After", b"10"), now=0)
        (answer,) = answers(written)
        self.assertEqual((answer.status, answer.headers["retry-after"]), (503, "10"))
        self.assertEqual(json.loads(answer.body), {"error": {"code": "memory-limit", "message": "full"}})
        self.assertEqual(answer.headers["date"], "Thu, 01 Jan 1970 00:00:00 GMT")
