"""Tests for :mod:`patches.scanner.client.http_client`."""

from __future__ import annotations

import gzip
import json
from typing import Any

from treq.client import HTTPClient
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectError, ConnectingCancelledError, ConnectionDone, DNSLookupError, NoRouteError
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import ResponseFailed
from twisted.web.http_headers import Headers

from patches.scanner.client.http_client import (
    MAX_RETRY_AFTER_SECONDS,
    BadAnswer,
    HttpClient,
    HttpResponse,
    Unreachable,
    http_client,
)
from patches.wire import digest, repr_digest
from tests.scanner.scripted_client import REFUSED, Canned, CannedHTTP, document, error
from tests.sources.memory_reactor import ResolvingReactor


def coded(body: bytes, *codings: str, **fields: str) -> Canned:
    """Answer with a body in codings, as the agent of the client passes it on."""
    named = {name.replace("_", "-"): text for name, text in fields.items()}
    return Canned(200, body, {"Content-Encoding": ", ".join(codings), **named})


class CodingTests(SynchronousTestCase):
    """Bodies are verified as they were sent, and unpacked once."""

    def ask(self, answer: Canned, most: int = 100_000) -> Deferred[Any]:
        """Send a request."""
        client = HttpClient(CannedHTTP(answer), "http://server", Clock(), most)
        return Deferred.fromCoroutine(client.ask("GET", "/"))

    def test_accepted(self) -> None:
        """A body may be as it is, or in one gzip."""
        packed = gzip.compress(b"{}")
        for answer in (
            Canned(200, b"{}"),
            coded(b"{}", "identity"),
            coded(packed, "gzip"),
            coded(packed, "X-GZip", Content_Digest=repr_digest(digest(packed))),
        ):
            self.assertEqual(self.successResultOf(self.ask(answer)).body, b"{}")
        self.assertEqual(self.successResultOf(self.ask(coded(b"", "gzip"))).body, b"")

    def test_refused(self) -> None:
        """Several codings, other ones, bombs, and what is not one whole gzip are refused, and not tried again."""
        bomb = gzip.compress(bytes(50 << 20))
        for answer in (
            coded(gzip.compress(gzip.compress(b"{}")), "gzip", "gzip"),
            coded(b"{}", "br"),
            Canned(200, b"{}", {"Content-Encoding": "deflate"}),
            coded(bomb, "gzip"),
            coded(gzip.compress(b"{}")[:-1], "gzip"),
            coded(gzip.compress(b"{}") * 2, "gzip"),
            coded(gzip.compress(b"{}"), "gzip", Content_Digest=repr_digest(digest(b"{}"))),
            coded(b"{}", Content_Digest="sha-256=:x:"),
        ):
            text = str(self.failureResultOf(self.ask(answer), BadAnswer).value)
            self.assertNotIn("\n", text)
        self.failureResultOf(self.ask(coded(b"x" * 101, "gzip"), 100), BadAnswer)

    def test_agent(self) -> None:
        """The agent asks for gzip once, and hides the coding from what would unpack it."""
        reactor = ResolvingReactor()
        asking = Deferred.fromCoroutine(HttpClient(http_client(reactor), "http://server", Clock(), 99).ask("GET", "/"))
        protocol, transport = reactor.accept()
        self.assertEqual(transport.value().lower().count(b"accept-encoding: gzip\r\n"), 1)
        twice = gzip.compress(gzip.compress(b"{}"))
        head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip\r\nContent-Length: %d\r\n\r\n" % len(twice)
        protocol.dataReceived(head + twice)
        self.assertIn("content coding other than", str(self.failureResultOf(asking, BadAnswer).value))


class ClientTests(SynchronousTestCase):
    """Requests to a server with scripted responses."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(100)

    def ask(self, *answers: Canned | BaseException, url: str = "http://server/", **options: Any) -> Deferred[Any]:
        """Send a request."""
        self.http = CannedHTTP(*answers)
        client = HttpClient(self.http, url, self.clock, 10, lambda: 1.8e9)
        return Deferred.fromCoroutine(client.ask("POST", "/v1/x", **options))

    def unreachable(self, asking: Deferred[Any]) -> str:
        """Return the text of a failure, which is a single line."""
        text = str(self.failureResultOf(asking, Unreachable).value)
        self.assertNotIn("\n", text)
        return text

    def test_response(self) -> None:
        """The response is returned with its time of day, whatever its status is."""
        for code in (200, 302, 404, 503):
            answer = Canned(code, b"0123456789", {"X": "y"})
            response = self.successResultOf(self.ask(answer))
            self.assertEqual((response.status, response.body, response.received), (code, b"0123456789", 1.8e9))
            self.assertEqual(response.header("x"), "y")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_request(self) -> None:
        """The path is appended to the base URL; a body is JSON, and a wait is a preference."""
        self.ask(Canned(200), url="http://server/base//", body=b"{}", fields={"A": "b"}, wait=29.6)
        (asked,) = self.http.asked
        self.assertEqual((asked.method, asked.url, asked.body), ("POST", "http://server/base/v1/x", b"{}"))
        self.assertEqual(asked.fields, {"A": "b", "Content-Type": "application/json", "Prefer": "wait=30"})
        self.ask(Canned(200))
        self.assertEqual((self.http.asked[0].body, self.http.asked[0].fields), (None, {}))

    def test_too_long(self) -> None:
        """A body that is longer than the limit is a failure."""
        reason = self.unreachable(self.ask(Canned(200, b"0123456789a")))
        self.assertEqual(reason, "http://server: its response is longer than 10 bytes")

    def test_silence(self) -> None:
        """A server that does not answer within half a minute, and the time that it may wait, is unreachable."""
        asking = self.ask(wait=20)
        self.clock.advance(49)
        self.assertNoResult(asking)
        self.clock.advance(1)
        self.assertEqual(self.unreachable(asking), "http://server did not answer within 50 s")

    def test_reasons(self) -> None:
        """The reason of a failure is the first line of the innermost error."""
        broken = ResponseFailed([Failure(ResponseFailed([Failure(ValueError("odd\nmore"))]))])
        for answer, reason in (
            (REFUSED, "connection refused"),
            (NoRouteError(113, "No route to host"), "no route to host"),
            (ConnectError(string="first.\nsecond"), "An error occurred while connecting: first."),
            (OSError(), "OSError"),
            (Canned(200, b"x", body_failure=ResponseFailed([Failure(ValueError("cut off."))])), "cut off"),
        ):
            self.assertEqual(self.unreachable(self.ask(answer)), f"http://server cannot be reached: {reason}")
        self.assertEqual(self.unreachable(self.ask(broken)), "http://server cannot be reached: odd")

    def test_own_errors(self) -> None:
        """A request that cannot be made says nothing about whether the server is there."""
        for failure in (UnicodeEncodeError("ascii", "\ud800", 0, 1, "odd"), ValueError("too long"), TypeError("x")):
            self.failureResultOf(self.ask(failure), BadAnswer)

    def test_no_memory(self) -> None:
        """A lack of memory says nothing about the server, wherever on the way it is met."""
        for lack in (MemoryError(), ResponseFailed([Failure(MemoryError())])):
            self.failureResultOf(self.ask(lack), MemoryError)

    def test_cancelled(self) -> None:
        """A request that is cancelled says nothing about the server."""
        asking = self.ask()
        asking.cancel()
        self.failureResultOf(asking, CancelledError)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_cancelled_connection(self) -> None:
        """
        However Twisted reports a request that is cancelled, it is cancelled; after its time, the server is unreachable.
        """
        for cause in (ResponseFailed([Failure(CancelledError())]), DNSLookupError(), ConnectingCancelledError(None)):
            for seconds, kind in ((49.0, CancelledError), (50.0, Unreachable)):
                self.http = CannedHTTP()
                request: Deferred[Any] = Deferred(lambda it, cause=cause: it.errback(cause))
                self.patch(self.http, "request", lambda *_, request=request, **options: request)
                client = HttpClient(self.http, "http://server/", self.clock, 10)
                asking = Deferred.fromCoroutine(client.ask("GET", "/", wait=20))
                self.clock.advance(seconds)
                asking.cancel()
                failure = self.failureResultOf(asking, kind)
            self.assertEqual(str(failure.value), "http://server did not answer within 50 s")

    def test_real_client(self) -> None:
        """The client of a reactor is treq's."""
        self.assertIsInstance(http_client(Clock()), HTTPClient)


class ResponseTests(SynchronousTestCase):
    """Parts of a response."""

    def response(self, answer: Canned, received: float = 0.0) -> HttpResponse:
        """Return a response."""
        return HttpResponse(answer.code, answer.headers, answer.body, received)

    def test_header(self) -> None:
        """Of several values of a header the last counts; a missing one is empty."""
        response = HttpResponse(200, Headers({"X": ["a", "b"]}), b"")
        self.assertEqual((response.header("x"), response.header("y")), ("b", None))

    def test_document(self) -> None:
        """A body that is not a JSON object is no document."""
        self.assertEqual(self.response(document(200, {"a": 1})).document(), {"a": 1})
        for body in (b"", b"[]", b"7", b"{", b"\xff", b"<html>"):
            self.assertIsNone(self.response(Canned(200, body)).document(), body)

    def test_errors(self) -> None:
        """The code and the message are those of an error document; without one the message has the status."""
        denied = self.response(error(503, "queue-full"))
        self.assertEqual((denied.error_code, denied.error_message), ("queue-full", "it is queue-full"))
        for body in (b"<html>", json.dumps({"error": "x"}).encode(), b"{}"):
            other = self.response(Canned(502, body))
            self.assertEqual((other.error_code, other.error_message), (None, "it answered 502"))
        bare = self.response(document(500, {"error": {"message": "x" * 1000}}))
        self.assertEqual((bare.error_code, bare.error_message), (None, "x" * 300))

    def test_retry_after(self) -> None:
        """The pause is in seconds or until a date, and limited; without one, or with an invalid one, it is 0."""
        for value, seconds in {
            "7": 7.0,
            "999999": MAX_RETRY_AFTER_SECONDS,
            "Thu, 01 Jan 1970 00:01:30 GMT": 30.0,
            "Thu, 01 Jan 1970 00:00:00 GMT": 0.0,
            "soon": 0.0,
        }.items():
            self.assertEqual(self.response(Canned(503, b"", {"Retry-After": value}), 60.0).retry_after, seconds, value)
        self.assertEqual(self.response(Canned(503)).retry_after, 0.0)
        dated = {"Retry-After": "Thu, 01 Jan 1970 00:01:30 GMT", "Date": "Thu, 01 Jan 1970 00:01:20 GMT"}
        self.assertEqual(self.response(Canned(503, b"", dated), 1.8e9).retry_after, 10.0)


class SilentPortTests(SynchronousTestCase):
    """A port that closes plain connections without a word is asked once whether it speaks TLS."""

    def closed(self, answer: bytes | None, url: str = "http://server:8080") -> str:
        """Ask a server that closes the first connection, and answers a ClientHello so. Return the error."""
        reactor = ResolvingReactor()
        asking = Deferred.fromCoroutine(HttpClient(http_client(reactor), url, reactor, 99).ask("GET", "/"))
        reactor.accept()[0].connectionLost(Failure(ConnectionDone()))
        protocol, transport = reactor.accept()
        self.assertEqual(transport.value()[:1], b"\x16")
        if answer is None:
            protocol.connectionLost(Failure(ConnectionDone()))
        else:
            protocol.dataReceived(answer)
        return str(self.failureResultOf(asking, Unreachable).value)

    def test_tls(self) -> None:
        """A record is the answer of a port that speaks TLS, whether it goes on or not."""
        for answer in (b"\x16\x03\x03", b"\x15\x03\x03"):
            self.assertIn("server:8080 needs TLS: use https://server:8080", self.closed(answer))

    def test_other(self) -> None:
        """A port that answers otherwise, or not at all, is away."""
        for answer in (b"SSH-2.0", None):
            text = self.closed(answer)
            self.assertNotIn("TLS", text)
            self.assertIn("connection was closed", text)
