"""Tests for :mod:`patches.scanner.simulation.simulated_scanner`."""

from __future__ import annotations

import gzip
import json

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.simulation.simulated_scanner import SimulatedScanner
from patches.wire import StreamDigest, digest, repr_digest

TEXTS = (b'{"name":"a"}\n', b'{"name":"b"}\n')


def response(status: str, body: bytes, *fields: str) -> bytes:
    """Return an HTTP response."""
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *fields]
    return "\r\n".join([*head, "", ""]).encode() + body


def document(status: str, content: object, *fields: str) -> bytes:
    """Return a response with a JSON document."""
    return response(status, json.dumps(content).encode(), "Content-Type: application/json", *fields)


def chunk(text: bytes, announced: bytes | None = None) -> bytes:
    """Return the response with a chunk."""
    told = repr_digest(digest(announced if announced is not None else text))
    return response("200 OK", gzip.compress(text), "Content-Type: application/x-ndjson", f"Repr-Digest: {told}")


def finished(chunks: int = 2, stream: str | None = None) -> bytes:
    """Return the response at the end."""
    whole = StreamDigest()
    for text in TEXTS:
        whole.add(digest(text))
    end = {"finished": True, "chunks": chunks, "vulnerabilities": 2, "digest": stream or whole.hexdigest()}
    return document("200 OK", end)


class ScannerCase(SynchronousTestCase):
    """A scanner that verifies, and has a session."""

    def setUp(self) -> None:
        self.scanner = SimulatedScanner("example:8080", "debian-12", True, 0.0)
        self.assertIn(b'{"platform": "debian-12"}', self.scanner.request())
        self.assertTrue(self.scanner.receive(document("201 Created", {"session": "token"}), 1.0))

    def fails(self, answer: bytes, reason: str) -> None:
        """Check that the scanner ends with a reason after a response."""
        self.assertTrue(self.scanner.receive(answer, 2.0))
        self.assertIn(reason, self.scanner.problem)
        self.assertEqual(self.scanner.ended, 2.0)


class WholeTests(ScannerCase):
    """Scanners that read a whole list."""

    @given(st.integers(1, 200))
    def test_in_pieces(self, size: int) -> None:
        """However its responses are cut, a scanner reads the whole list, verifies it, and counts."""
        self.setUp()
        for number, answer in enumerate((chunk(TEXTS[0]), chunk(TEXTS[1]), finished())):
            self.assertTrue(self.scanner.request().startswith(f"GET /v1/sessions/token/chunks/{number} ".encode()))
            pieces = [answer[at : at + size] for at in range(0, len(answer), size)]
            done = [self.scanner.receive(piece, 3.0) for piece in pieces]
            self.assertEqual(done, [False] * (len(pieces) - 1) + [True])
        self.assertEqual((self.scanner.ended, self.scanner.problem), (3.0, ""))
        self.assertEqual((self.scanner.chunks, self.scanner.vulnerabilities), (2, 2))

    def test_waits(self) -> None:
        """A scanner that must wait asks again when it is told to."""
        self.scanner.receive(document("202 Accepted", {"pollAfter": 0.5}), 2.0)
        self.assertEqual((self.scanner.due, self.scanner.ended), (2.5, None))

    def test_denied(self) -> None:
        """A scanner that is denied comes back when it is told to, with a new session."""
        self.scanner.receive(document("503 Service Unavailable", {"error": {}}, "Retry-After: 7"), 2.0)
        self.assertEqual((self.scanner.due, self.scanner.denials, self.scanner.ended), (9.0, 1, None))
        self.assertTrue(self.scanner.request().startswith(b"POST /v1/sessions "))


class FailureTests(ScannerCase):
    """Scanners that do not read the whole list, and say why."""

    def test_damaged(self) -> None:
        """A chunk whose digest differs."""
        self.fails(chunk(TEXTS[0], announced=b"other"), "the digest of a chunk differs")

    def test_not_gzip(self) -> None:
        """A chunk that cannot be unpacked."""
        self.fails(response("200 OK", b"x", "Content-Type: application/x-ndjson"), "cannot be read")

    def test_short(self) -> None:
        """A list that ends before all chunks were read."""
        self.fails(finished(), "0 chunks of 2")

    def test_other_list(self) -> None:
        """A list whose digest differs."""
        for text in TEXTS:
            self.scanner.receive(chunk(text), 1.0)
        self.fails(finished(stream="00" * 32), "the digest of the list differs")

    def test_refused(self) -> None:
        """An error of the server."""
        error = {"error": {"code": "expired", "message": "it was silent"}}
        self.fails(document("410 Gone", error), "410 expired: it was silent")

    def test_odd(self) -> None:
        """A response without a length, without an end of its head, or of another kind."""
        self.fails(b"HTTP/1.1 200 OK\r\nX: y\r\n\r\n", "without a length")
        self.setUp()
        self.fails(b"x" * 20_000, "without an end of its head")
        self.setUp()
        self.fails(document("201 Created", {}), "cannot be read")
