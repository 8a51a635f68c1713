"""Tests for :mod:`patches.sources.fetch.body`."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import ResponseDone
from twisted.web.http import PotentialDataLoss

from patches.http.response_body import BodyTooLong
from patches.sources.fetch.body import RunningChecksums, discard_body, write_body
from patches.sources.fetch.retry import RequestTimedOut


class Response:
    """A response whose body a test delivers."""

    def __init__(self) -> None:
        self.transport = StringTransport()

    def deliverBody(self, protocol: Any) -> None:
        self.body = protocol
        protocol.makeConnection(self.transport)

    def end(self, reason: BaseException) -> None:
        """End the body."""
        self.body.connectionLost(Failure(reason))

    @property
    def closed(self) -> bool:
        """Whether the client has closed the connection."""
        return self.transport.disconnecting or self.transport.disconnected


class ChecksumTests(SynchronousTestCase):
    """The checksums of the first bytes of a file."""

    def test_nothing(self) -> None:
        """The SHA-256 is always computed, other checksums if they are requested."""
        sums = RunningChecksums.of_nothing([])
        self.assertEqual((sums.size, sums.digest("sha256")), (0, hashlib.sha256().hexdigest()))
        self.assertRaises(KeyError, sums.digest, "md5")

    def test_added(self) -> None:
        """The checksums are those of all bytes, in whatever pieces they are added."""
        sums = RunningChecksums.of_nothing(["md5", "sha512"])
        for piece in (b"a", b"", b"bc"):
            sums.add(piece)
        self.assertEqual(sums.size, 3)
        for algorithm in ("sha256", "md5", "sha512"):
            self.assertEqual(sums.digest(algorithm), hashlib.new(algorithm, b"abc").hexdigest())

    def test_file(self) -> None:
        """The checksums of a file of several blocks continue with further bytes."""
        path, content = Path(self.mktemp()), bytes(range(256)) * 10_000
        path.write_bytes(content)
        sums = RunningChecksums.of_file(path, ["md5"])
        self.assertEqual((sums.size, sums.digest("md5")), (len(content), hashlib.md5(content).hexdigest()))
        sums.add(b"x")
        self.assertEqual(sums.digest("sha256"), hashlib.sha256(content + b"x").hexdigest())


class WriteTests(SynchronousTestCase):
    """Bodies that are written to a file."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.response = Response()
        self.file = io.BytesIO()
        self.sums = RunningChecksums.of_nothing([])

    def begin(self, max_size: int = 100, file: Any = None) -> Deferred[bool]:
        """Begin to write."""
        response: Any = self.response
        return write_body(response, file or self.file, self.sums, max_size, self.clock, 60.0)

    def failed(self, writing: Deferred[bool], kind: type[Exception]) -> Exception:
        """Return the error of a body that failed: no timer remains, and the connection is closed."""
        error: Exception = self.failureResultOf(writing, kind).value
        self.assertEqual(self.clock.getDelayedCalls(), [])
        return error

    def test_whole(self) -> None:
        """A body is written as it arrives; the result is whether HTTP marked its end."""
        for reason, whole in ((ResponseDone(), True), (PotentialDataLoss(), False)):
            self.setUp()
            writing = self.begin()
            for piece in (b"hello", b" world"):
                self.response.body.dataReceived(piece)
            self.assertEqual(self.file.getvalue(), b"hello world")
            self.assertNoResult(writing)
            self.response.end(reason)
            self.assertIs(self.successResultOf(writing), whole)
            self.assertEqual(self.sums.digest("sha256"), hashlib.sha256(b"hello world").hexdigest())
            self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_broken(self) -> None:
        """A connection that breaks is an error; what arrived before is in the file, and counted."""
        writing = self.begin()
        self.response.body.dataReceived(b"hello")
        self.response.end(ConnectionLost())
        self.failed(writing, ConnectionLost)
        self.assertEqual((self.file.getvalue(), self.sums.size), (b"hello", 5))

    def test_too_long(self) -> None:
        """A body may have the longest size; at the first byte beyond it, which is not written, it fails."""
        writing = self.begin(max_size=5)
        self.response.body.dataReceived(b"hello")
        self.assertNoResult(writing)
        self.response.body.dataReceived(b"!")
        self.assertEqual(str(self.failed(writing, BodyTooLong)), "is longer than 5 bytes")
        self.assertTrue(self.response.closed)
        self.response.body.dataReceived(b"more")
        self.response.end(ConnectionLost())
        self.assertEqual(self.file.getvalue(), b"hello")

    def test_resumed(self) -> None:
        """The bytes that are in the file already count towards its size and its checksums."""
        self.sums.add(b"hell")
        writing = self.begin(max_size=5)
        self.response.body.dataReceived(b"o")
        self.assertEqual(self.sums.digest("sha256"), hashlib.sha256(b"hello").hexdigest())
        self.response.body.dataReceived(b"!")
        self.failed(writing, BodyTooLong)

    def test_silence(self) -> None:
        """A body fails if nothing arrives for too long; each piece of data restarts the time."""
        writing = self.begin()
        self.clock.advance(59)
        self.response.body.dataReceived(b"x")
        self.clock.advance(59)
        self.assertNoResult(writing)
        self.clock.advance(1)
        self.failed(writing, RequestTimedOut)
        self.assertTrue(self.response.closed)

    def test_full_disk(self) -> None:
        """A file that cannot be written is an error at once, and the connection is closed."""

        class Full(io.BytesIO):
            def write(self, data: Any, /) -> int:
                raise OSError(28, "No space left on device")

        writing = self.begin(file=Full())
        self.response.body.dataReceived(b"x")
        self.failed(writing, OSError)
        self.assertTrue(self.response.closed)
        self.assertEqual(self.sums.size, 0)

    def test_cancelled(self) -> None:
        """A cancelled body closes its connection, and what arrives afterwards is ignored."""
        writing = self.begin()
        writing.cancel()
        self.failed(writing, CancelledError)
        self.assertTrue(self.response.closed)
        self.response.body.dataReceived(b"x")
        self.response.end(ResponseDone())
        self.assertEqual(self.file.getvalue(), b"")

    def test_discarded(self) -> None:
        """The connection of a body that is not wanted is closed before any of it is read."""
        response: Any = self.response
        discard_body(response)
        self.assertTrue(self.response.closed)
