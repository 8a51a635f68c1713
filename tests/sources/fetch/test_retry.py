"""Tests for :mod:`patches.sources.fetch.retry`, and for the bodies of responses."""

from __future__ import annotations

import itertools
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, fail
from twisted.internet.error import ConnectionRefusedError, DNSLookupError
from twisted.internet.task import Clock
from twisted.internet.testing import EventLoggingObserver
from twisted.logger import formatEvent, globalLogPublisher
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import ResponseDone, ResponseFailed
from twisted.web.http_headers import Headers

from patches.errors import SourceError
from patches.http.response_body import BodyTooLong, read_body
from patches.sources.fetch.retry import TRANSIENT, FetchSettings, RateLimiter, RequestFailed, Response, RetryingClient


class FakeTransport:
    """A connection that records whether it was closed."""

    closed = False

    def loseConnection(self) -> None:
        self.closed = True


class FakeResponse:
    """A response whose body the test delivers."""

    def __init__(self, code: int = 200, retry_after: str | None = None) -> None:
        self.code = code
        self.headers = Headers({"Retry-After": [retry_after]} if retry_after else {})
        self.transport = FakeTransport()

    def deliverBody(self, protocol: Any) -> None:
        self.body = protocol
        protocol.makeConnection(self.transport)

    def finish(self, body: bytes = b"", error: Exception | None = None) -> None:
        self.body.dataReceived(body)
        self.body.connectionLost(Failure(error or ResponseDone()))


class FakeClient:
    """A client whose requests wait until the test decides their results."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.waiting: list[Deferred[Any]] = []

    def get(self, url: str, **options: Any) -> Deferred[Any]:
        self.asked.append((url, options))
        self.waiting.append(Deferred())
        return self.waiting[-1]

    def answer(self, status: int, body: bytes = b"", retry_after: str | None = None) -> None:
        response = FakeResponse(status, retry_after)
        self.waiting[-1].callback(response)
        response.finish(body)


class FetcherTests(SynchronousTestCase):
    """Requests until there is a response."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.client = FakeClient()

    def fetch(self, jitter: float = 0.0, **settings: Any) -> Deferred[Response]:
        """Start to fetch a small document."""
        fetcher = RetryingClient(self.client, self.clock, FetchSettings(**settings), lambda: jitter, lambda: 0.0)
        return Deferred.fromCoroutine(fetcher.get("http://x.test/", 100, {"A": "b"}))

    def test_answer(self) -> None:
        """A response is returned; the request is sent once, without following redirects or reading ahead."""
        for status in (200, 301, 404, 400, 418):
            fetching = self.fetch()
            self.client.answer(status, b"body")
            self.assertEqual(self.successResultOf(fetching), Response(status, b"body"))
        options = {"headers": {"A": "b"}, "allow_redirects": False, "unbuffered": True}
        self.assertEqual(self.client.asked, [("http://x.test/", options)] * 5)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def pauses(self, jitter: float, **settings: Any) -> list[float]:
        """Fail until the client gives up. Return the pauses between the tries."""
        fetching = self.fetch(jitter, **settings)
        times = [self.clock.seconds()]
        while not fetching.called:
            self.client.answer(503)
            while self.clock.getDelayedCalls() and len(self.client.asked) == len(times):
                self.clock.advance(0.5)
            times.append(self.clock.seconds())
        self.assertEqual(self.failureResultOf(fetching, RequestFailed).value.args, ("it answered 503 (asked 7 times)",))
        self.client.asked.clear()
        return [after - before for before, after in itertools.pairwise(times[:-1])]

    def test_pauses_double(self) -> None:
        """The pause before another try doubles, up to its longest, and jitter shortens it by up to a half."""
        self.assertEqual(self.pauses(0.0, tries=7, max_pause_seconds=12.0), [1, 2, 4, 8, 12, 12])
        self.assertEqual(self.pauses(1.0, tries=7, max_pause_seconds=12.0), [0.5, 1, 2, 4, 6, 6])

    def test_log(self) -> None:
        """The log names the URL without its credentials, the reason, the pause and the try."""
        observer = EventLoggingObserver.createWithCleanup(self, globalLogPublisher)
        fetcher = RetryingClient(self.client, self.clock, FetchSettings(tries=3), lambda: 0.0)
        fetching = Deferred.fromCoroutine(fetcher.get("http://me:secret@x.test/a?b", 100))
        for _ in range(3):
            self.client.answer(503)
            self.clock.advance(2)
        self.failureResultOf(fetching, RequestFailed)
        self.assertEqual(
            [formatEvent(event) for event in observer if event["log_namespace"] == "patches.sources.fetch.retry"],
            [
                "http://x.test/a?b: it answered 503; retrying in 1.0 s (try 2 of 3)",
                "http://x.test/a?b: it answered 503; retrying in 2.0 s (try 3 of 3)",
            ],
        )

    def test_asked_pause(self) -> None:
        """A pause that the server asks for is kept, in seconds or as a date; one that is too long ends the request."""
        for asked in ("7", "Thu, 01 Jan 1970 00:00:07 GMT"):
            self.clock = Clock()
            self.clock.advance(5)
            fetching = self.fetch()
            self.client.answer(429, retry_after=asked)
            self.clock.advance(6.9)
            self.assertEqual(self.client.waiting[-1].called, True)
            self.clock.advance(0.1)
            self.client.answer(200)
            self.successResultOf(fetching)
        fetching = self.fetch()
        self.client.answer(503, retry_after="121")
        reason = self.failureResultOf(fetching, SourceError).value
        self.assertEqual(reason.args, ("it answered 503, and asks for a pause of 121 s",))

    def test_rate(self) -> None:
        """Requests are sent at an even pace, repeated ones included."""
        fetcher = RetryingClient(self.client, self.clock, FetchSettings(rate=0.1, tries=2), lambda: 0.0)
        for _ in range(2):
            Deferred.fromCoroutine(fetcher.get("http://x.test/", 100))
        self.assertEqual(len(self.client.asked), 1)
        self.clock.advance(9.9)
        self.assertEqual(len(self.client.asked), 1)
        self.clock.advance(0.1)
        self.assertEqual(len(self.client.asked), 2)
        self.client.answer(503)
        self.clock.advance(9.9)
        self.assertEqual(len(self.client.asked), 2)
        self.clock.advance(0.1)
        self.assertEqual(len(self.client.asked), 3)

    def test_what_may_pass(self) -> None:
        """No connection, a lost one and the statuses of a failing server are tried again."""
        errors = [ConnectionRefusedError(), DNSLookupError(), ResponseFailed([Failure(ResponseDone())])]
        for error in errors:
            fetching = self.fetch()
            self.client.waiting[-1].errback(error)
            self.clock.advance(1)
            self.client.answer(200)
            self.successResultOf(fetching)
        for status in sorted(TRANSIENT):
            fetching = self.fetch()
            self.client.answer(status)
            self.assertNoResult(fetching)
            self.clock.advance(1)
            self.client.answer(200)
            self.successResultOf(fetching)

    def test_body_cut_short(self) -> None:
        """A connection that is lost in the middle of a body is a failed try."""
        fetching = self.fetch(tries=1)
        response = FakeResponse()
        self.client.waiting[-1].callback(response)
        response.finish(b"half", ResponseFailed([]))
        self.assertIn("closed the connection", str(self.failureResultOf(fetching, RequestFailed).value))

    def test_bugs_are_not_tried_again(self) -> None:
        """An error that no server can cause is raised."""
        self.client.get = lambda url, **options: fail(ZeroDivisionError())  # type: ignore[method-assign]
        self.failureResultOf(self.fetch(), ZeroDivisionError)

    def test_timeout_while_the_body_comes(self) -> None:
        """The time-out covers the body; the connection is closed."""
        fetching = self.fetch(tries=1, timeout_seconds=5.0)
        response = FakeResponse()
        self.client.waiting[-1].callback(response)
        for _ in range(5):
            self.assertNoResult(fetching)
            response.body.dataReceived(b".")
            self.clock.advance(1)
        message = str(self.failureResultOf(fetching, RequestFailed).value)
        self.assertEqual(message, "it did not answer within 5 s (asked once)")
        self.assertTrue(response.transport.closed)

    def test_cancelled(self) -> None:
        """A cancelled fetch ends, both while it waits for a response and in a pause."""
        for status in (None, 500):
            fetching = self.fetch()
            if status is not None:
                self.client.answer(status)
            fetching.cancel()
            self.failureResultOf(fetching, CancelledError)
            self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_slots_are_given_back(self) -> None:
        """After any result of a request, the next one gets its slot."""
        fetcher = RetryingClient(self.client, self.clock, FetchSettings(tries=1, parallel=1, timeout_seconds=5.0))

        def fetch() -> Deferred[Response]:
            return Deferred.fromCoroutine(fetcher.get("http://x.test/", 1))

        first, second, third, fourth = (fetch() for _ in range(4))
        self.assertEqual(len(self.client.asked), 1)
        self.client.answer(200, b"too long")
        self.failureResultOf(first, BodyTooLong)
        self.clock.advance(5)
        self.failureResultOf(second, RequestFailed)
        third.cancel()
        self.failureResultOf(third, CancelledError)
        self.client.answer(200)
        self.successResultOf(fourth)


class BodyTests(SynchronousTestCase):
    """Bodies with a limit."""

    def test_up_to_the_limit(self) -> None:
        """A body of exactly the longest length is read completely."""
        response = FakeResponse()
        asking_again = read_body(response, 8)  # type: ignore[arg-type]
        response.body.dataReceived(b"1234")
        response.finish(b"5678")
        self.assertEqual(self.successResultOf(asking_again), b"12345678")

    def test_over_the_limit(self) -> None:
        """A longer body is given up as soon as that is known, and the connection closed."""
        response = FakeResponse()
        asking_again = read_body(response, 8)  # type: ignore[arg-type]
        response.body.dataReceived(b"123456789")
        self.failureResultOf(asking_again, BodyTooLong)
        self.assertTrue(response.transport.closed)
        response.finish(b"more")


class PaceTests(SynchronousTestCase):
    """A rate of requests."""

    def test_even(self) -> None:
        """Turns that are requested at once are evenly spaced, the first at once."""
        clock = Clock()
        pace = RateLimiter(clock, 4.0)
        turns = [Deferred.fromCoroutine(pace.wait_turn()) for _ in range(4)]
        for number in range(1, 5):
            self.assertEqual([wait_turn.called for wait_turn in turns], [True] * number + [False] * (4 - number))
            clock.advance(0.25)

    def test_unused_turns_are_lost(self) -> None:
        """After a pause there is one turn at once, not many."""
        clock = Clock()
        pace = RateLimiter(clock, 1.0)
        clock.advance(100)
        turns = [Deferred.fromCoroutine(pace.wait_turn()) for _ in range(2)]
        self.assertEqual([wait_turn.called for wait_turn in turns], [True, False])

    def test_no_pace(self) -> None:
        """Without a rate every turn is at once."""
        pace = RateLimiter(Clock(), None)
        self.assertTrue(all(Deferred.fromCoroutine(pace.wait_turn()).called for _ in range(100)))
