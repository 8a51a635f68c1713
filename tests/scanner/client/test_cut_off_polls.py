"""Long polls that somebody between the scanner and the server cuts off, as it waits less long than the server."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import ResponseFailed, ResponseNeverReceived

from patches.scanner.client.client import ClientSettings, PatchesClient
from patches.scanner.client.verified_stream import StreamError
from tests.scanner.client.test_stream import A
from tests.scanner.scripted_client import REFUSED, Asked, Canned, CannedHTTP, chunk, document, end, error, session

CLOSED = ResponseNeverReceived([Failure(ConnectionDone())])
BROKEN = ResponseFailed([Failure(ConnectionDone())])
HERE = document(200, {"session": "s1", "state": "queued", "queuePosition": 3})
Answer = Canned | BaseException


class CutOffTests(SynchronousTestCase):
    """A queue that takes twenty minutes, with a patience of one."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.waits: list[str] = []

    def take(self, cut: Answer, here: Answer = HERE, minutes: float = 20, seconds: float = 10.0) -> Deferred[list[str]]:
        """
        Read a list whose queue takes some minutes.

        :param cut: how each poll ends.
        :param here: the answer to a question about the session.
        :param seconds: the time after which a poll is cut off.
        """

        def answer(asked: Asked) -> Answer:
            if asked.method == "POST":
                return session("queued")
            if not asked.url.partition("/chunks/")[1]:
                return here if self.clock.seconds() < 60 * minutes else session_now
            if self.clock.seconds() >= 60 * minutes:
                return end(A) if asked.url.endswith("/1") else chunk(A)
            self.waits.append(asked.fields["Prefer"])
            self.clock.rightNow += seconds
            return cut

        session_now = document(200, {"session": "s1", "state": "active", "snapshot": {"revision": "r1"}})
        settings = ClientSettings(patience=timedelta(minutes=1))
        http = CannedHTTP(*[answer] * 10_000)
        stream = PatchesClient(http, "http://server", self.clock, settings, lambda: 0.0).stream("debian-12")

        async def names() -> list[str]:
            return [vulnerability.name async for vulnerability in stream]

        return Deferred.fromCoroutine(names())

    def pump(self, minutes: float, reading: Deferred[Any]) -> None:
        """Advance the clock."""
        for _ in range(int(60 * minutes)):
            if reading.called:
                return
            self.clock.advance(1)

    def test_waits(self) -> None:
        """A poll that is cut off, or whose connection is closed, is a wait, if the server is there when it is asked."""
        for cut in (Canned(504, b"<html>"), Canned(408), Canned(524), CLOSED):
            self.setUp()
            reading = self.take(cut)
            self.pump(30, reading)
            self.assertEqual(self.successResultOf(reading), ["A1", "A2"], cut)

    def test_shorter(self) -> None:
        """The next poll takes less time than the intermediary leaves it, so that the server can answer it."""
        reading = self.take(Canned(504), minutes=1)
        self.pump(5, reading)
        self.successResultOf(reading)
        self.assertEqual(self.waits[:2], ["wait=20", "wait=8"])

    def test_no_progress(self) -> None:
        """
        It is none if the server is away, does not know the session, or is another one; nor is an error of the server
        itself, a response that breaks off, or a poll that was refused at once.
        """
        away: tuple[tuple[Answer, Answer, float], ...] = (
            (Canned(504), Canned(504), 10),
            (CLOSED, REFUSED, 10),
            (CLOSED, error(503, "busy"), 10),
            (Canned(504), document(200, {"state": "welcome"}), 10),
            (error(504, "mine"), HERE, 10),
            (BROKEN, HERE, 10),
            (CLOSED, HERE, 0.5),
            (Canned(504), HERE, 0.5),
        )
        for cut, here, seconds in away:
            self.setUp()
            reading = self.take(cut, here, seconds=seconds)
            self.pump(5, reading)
            self.failureResultOf(reading, StreamError)
            self.assertLess(self.clock.seconds(), 180)
