"""Which HTTP statuses of a server are tried again, which resume the session, and which are final."""

from __future__ import annotations

from patches.scanner.client.verified_stream import NotVerified, Refused, SessionLost
from tests.scanner.client.test_stream import A, StreamCase
from tests.scanner.scripted_client import chunk, end, error, session

AGAIN, RESUMED, FINAL = "again", "resumed", "final"
#: status: what follows it as the answer to a request for a session, and for a chunk.
STATUSES = {
    204: (FINAL, FINAL),
    301: (FINAL, FINAL),
    400: (FINAL, FINAL),
    401: (FINAL, FINAL),
    403: (FINAL, FINAL),
    404: (FINAL, RESUMED),
    408: (FINAL, FINAL),
    409: (FINAL, RESUMED),
    410: (FINAL, RESUMED),
    411: (FINAL, FINAL),
    428: (FINAL, FINAL),
    429: (AGAIN, AGAIN),
    430: (FINAL, FINAL),
    499: (FINAL, FINAL),
    500: (AGAIN, AGAIN),
    501: (AGAIN, AGAIN),
    502: (AGAIN, AGAIN),
    503: (AGAIN, AGAIN),
    504: (AGAIN, AGAIN),
    599: (AGAIN, AGAIN),
}


class StatusTests(StreamCase):
    """The statuses for :class:`~patches.scanner.client.stream.VulnerabilityStream`."""

    def test_opening(self) -> None:
        """A final status refuses the list at once; after any other a session is requested again."""
        for status, (expected, _) in STATUSES.items():
            reading = self.take(error(status, "x"), session(), chunk(A), end(A))
            if expected == FINAL:
                self.failureResultOf(reading, Refused)
                self.assertEqual(self.paths(), ["POST "], status)
                continue
            self.assertNoResult(reading)
            self.clock.advance(1)
            self.assertEqual(self.successResultOf(reading), ["A1", "A2"], status)
            self.assertEqual(self.paths()[:2], ["POST ", "POST "], status)

    def test_reading(self) -> None:
        """A final status ends the stream; after any other the chunk is requested again, in a resumed session if due."""
        for status, (_, expected) in STATUSES.items():
            rest = [session()] if expected == RESUMED else []
            reading = self.take(session(), error(status, "x"), *rest, chunk(A), end(A))
            if expected == FINAL:
                self.failureResultOf(reading, Refused)
                self.assertEqual(self.paths(), ["POST ", "GET /s1/chunks/0"], status)
                continue
            self.assertEqual(reading.called, expected == RESUMED, status)
            self.clock.advance(1)
            self.assertEqual(self.successResultOf(reading), ["A1", "A2"], status)
            asked = ["POST "] if expected == RESUMED else []
            self.assertEqual(self.paths()[1:], ["GET /s1/chunks/0", *asked, "GET /s1/chunks/0", "GET /s1/chunks/1"])

    def test_resuming(self) -> None:
        """When a session is resumed, a final status means that the session is lost; any other is tried again."""
        for status, (expected, _) in STATUSES.items():
            reading = self.take(session(), error(410, "expired"), error(status, "x"), session(), chunk(A), end(A))
            if expected == FINAL:
                self.failureResultOf(reading, SessionLost)
                continue
            self.assertNoResult(reading)
            self.clock.advance(1)
            self.assertEqual(self.successResultOf(reading), ["A1", "A2"], status)

    def test_success(self) -> None:
        """A session is open with 201 only: 200 without a cached list, and 202, refuse it."""
        for status in (200, 202):
            self.failureResultOf(self.take(error(status, "x")), Refused)
        self.failureResultOf(self.take(session(), error(200, "x")), NotVerified)
