"""Tests for :mod:`patches.scanner.client.client`."""

from __future__ import annotations

import json
from datetime import timedelta

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.client.client import ClientSettings, NotTold, PatchesClient
from patches.scanner.client.http_client import Unreachable
from patches.scanner.client.verified_stream import StreamError
from patches.wire import MAX_CHUNK_BYTES
from tests.scanner.client.test_stream import A
from tests.scanner.scripted_client import REFUSED, Canned, CannedHTTP, chunk, end, error, session


class ClientTests(SynchronousTestCase):
    """Streams of one server."""

    def setUp(self) -> None:
        self.clock = Clock()

    def client(self, *answers: object, settings: ClientSettings | None = None) -> PatchesClient:
        """Create a client."""
        self.http = CannedHTTP(*answers)  # type: ignore[arg-type]
        return PatchesClient(self.http, "http://server/", self.clock, settings, jitter=lambda: 0.0)

    def read(self, client: PatchesClient, platform: str = "debian-12") -> Deferred[list[str]]:
        """Read a stream. Return the names of its records."""
        stream = client.stream(platform)

        async def read() -> list[str]:
            return [vulnerability.name async for vulnerability in stream]

        return ensureDeferred(read())

    def given_up(self, reading: Deferred[list[str]]) -> float:
        """Advance the clock until a stream fails. Return the seconds that passed, to about half a second."""
        for _ in range(4000):
            if reading.called:
                break
            self.clock.advance(0.5)
        self.failureResultOf(reading, StreamError)
        return self.clock.seconds()

    def test_lazy(self) -> None:
        """No request is sent before a stream is read."""
        client = self.client(session(), chunk(A), end(A))
        client.stream("debian-12")
        self.assertEqual(self.http.asked, [])
        self.assertEqual(self.successResultOf(self.read(client)), ["A1", "A2"])

    def test_has_changed(self) -> None:
        """The server is asked for another list than one by its revision; a 304 says that there is none."""
        described = [Canned(200, json.dumps({"revision": revision}).encode()) for revision in ("r2", "r1")]
        client = self.client(Canned(304), *described)
        for expected in (False, True, False):  # the last one: what is between has lost the validator
            self.assertIs(self.successResultOf(ensureDeferred(client.has_changed("debian-12", "r1"))), expected)
        self.assertEqual({asked.url for asked in self.http.asked}, {"http://server/v1/platforms/debian-12"})
        self.assertEqual(self.http.asked[0].fields["If-None-Match"], 'W/"r1"')

    def test_not_told(self) -> None:
        """A server that does not say it is an error, with the time that it names; so is one that cannot be reached."""
        for answer, why, after in (
            (error(503, "not-ready", **{"Retry-After": "10"}), "http://server: it is not-ready", 10.0),
            (Canned(404, b"<html>"), "http://server: it answered 404", 0.0),
            (Canned(200, b"[]"), "http://server: it answered 200", 0.0),
            (Canned(200, b'{"revision": null}'), "http://server: it answered 200", 0.0),
        ):
            asking = ensureDeferred(self.client(answer).has_changed("debian-12", "r1"))
            problem = self.failureResultOf(asking, NotTold).value
            self.assertEqual((str(problem), problem.retry_after), (why, after))
        self.failureResultOf(ensureDeferred(self.client(REFUSED).has_changed("debian-12", "r1")), Unreachable)

    def test_several(self) -> None:
        """A client creates any number of streams, each of its own platform."""
        alpine = A.replace(b"debian-12", b"alpine-3.20")
        client = self.client(session(), chunk(A), end(A), session(), chunk(alpine), end(alpine))
        for platform in ("debian-12", "alpine-3.20"):
            self.successResultOf(self.read(client, platform))
        opened = [asked.document for asked in self.http.asked if asked.method == "POST"]
        self.assertEqual(opened, [{"platform": "debian-12"}, {"platform": "alpine-3.20"}])
        self.assertEqual(self.http.asked[0].url, "http://server/v1/sessions")

    def test_contact(self) -> None:
        """A server that does not answer is given up after seconds, as configured."""
        for settings, seconds in ((None, 5), (ClientSettings(contact=timedelta(seconds=60)), 60)):
            self.setUp()
            passed = self.given_up(self.read(self.client(*[REFUSED] * 100, settings=settings)))
            self.assertTrue(seconds / 3 < passed <= seconds, passed)

    def test_patience(self) -> None:
        """A server that has answered is given up after minutes, as configured."""
        for settings, seconds in ((None, 600), (ClientSettings(patience=timedelta(seconds=60)), 60)):
            self.setUp()
            denied = [error(503, "queue-full", Retry_After="10")] * 100
            passed = self.given_up(self.read(self.client(*denied, settings=settings)))
            self.assertTrue(seconds - 20 <= passed <= seconds, passed)

    def test_long_chunk(self) -> None:
        """A body that is longer than any chunk is refused."""
        huge = Canned(200, bytes(MAX_CHUNK_BYTES + 1))
        reading = self.read(self.client(session(), *[huge] * 100))
        self.given_up(reading)
