"""Tests for :mod:`patches.http.response_body`."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionLost
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import ResponseDone
from twisted.web.http import PotentialDataLoss

from patches.http.response_body import BodyTooLong, read_body


class OpenTransport:
    """A connection that counts its aborts."""

    aborted = 0

    def abortConnection(self) -> None:
        self.aborted += 1

    loseConnection = abortConnection


class GivenResponse:
    """A response whose body the test delivers."""

    def deliverBody(self, protocol: Any) -> None:
        self.body, self.transport = protocol, OpenTransport()
        protocol.makeConnection(self.transport)


class BodyTests(SynchronousTestCase):
    """A body of ten bytes at most."""

    def setUp(self) -> None:
        self.response = GivenResponse()
        self.reading: Deferred[bytes] = read_body(self.response, 10)  # type: ignore[arg-type]

    def end(self, reason: Exception) -> None:
        """Close the connection."""
        self.response.body.connectionLost(Failure(reason))

    def test_whole(self) -> None:
        """The pieces are joined, up to exactly the longest length."""
        for piece in (b"12345", b"", b"67890"):
            self.response.body.dataReceived(piece)
            self.assertNoResult(self.reading)
        self.end(ResponseDone())
        self.assertEqual((self.successResultOf(self.reading), self.response.transport.aborted), (b"1234567890", 0))

    def test_without_length(self) -> None:
        """A response that ends with its connection is complete, as far as HTTP can tell."""
        self.response.body.dataReceived(b"123")
        self.end(PotentialDataLoss())
        self.assertEqual(self.successResultOf(self.reading), b"123")

    def test_too_long(self) -> None:
        """At the first byte too many the connection is closed; later bytes are ignored."""
        for piece in (b"1234567890", b"1", b"2" * 99):
            self.response.body.dataReceived(piece)
        self.assertIn("longer than 10 bytes", str(self.failureResultOf(self.reading, BodyTooLong).value))
        self.assertEqual(self.response.transport.aborted, 1)
        self.end(ResponseDone())

    def test_broken(self) -> None:
        """A body that is cut off is a failure."""
        self.response.body.dataReceived(b"123")
        self.end(ConnectionLost())
        self.failureResultOf(self.reading, ConnectionLost)

    def test_cancelled(self) -> None:
        """Cancelling closes the connection."""
        self.reading.cancel()
        self.failureResultOf(self.reading, CancelledError)
        self.assertEqual(self.response.transport.aborted, 1)
        self.response.body.dataReceived(b"123")
        self.end(ConnectionLost())
