"""Tests for :mod:`patches.server.sessions.chunk_response`."""

from __future__ import annotations

import gzip

from twisted.trial.unittest import SynchronousTestCase

from patches.server.catalogue.chunks import MAX_ENCODED_BYTES, Chunk
from patches.server.sessions.chunk_response import MAX_HEAD_BYTES, MAX_RESPONSE_BYTES, create_response
from patches.wire import digest, parse_repr_digest
from tests.server.fake_catalogue import blank

DATE = "Thu, 01 Jan 1970 00:00:00 GMT"


class AnswerTests(SynchronousTestCase):
    """A chunk as the response that delivers it."""

    def setUp(self) -> None:
        self.chunk = Chunk(3, 1, digest(b"{}\n"), gzip.compress(b"{}\n"))
        self.loaded = create_response(self.chunk, 0.0)

    def test_answer(self) -> None:
        """The bytes are a whole HTTP response, whose digest is that of the body before compression."""
        head, _, body = self.loaded.answer.partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        headers = dict(line.split(": ") for line in lines)
        self.assertEqual(status, "HTTP/1.1 200 OK")
        self.assertEqual(headers["Content-Encoding"], "gzip")
        self.assertEqual(headers["Content-Type"], "application/x-ndjson")
        self.assertEqual(headers["Content-Length"], str(len(body)))
        self.assertEqual(headers["Date"], DATE)
        self.assertEqual(parse_repr_digest(headers["Repr-Digest"]), digest(gzip.decompress(body)))
        self.assertEqual(parse_repr_digest(headers["Content-Digest"]), digest(body))

    def test_date(self) -> None:
        """The date is that of the response, to the second; bytes that are being sent stay as they are."""
        before = self.loaded.answer
        self.loaded.set_date(0.9)
        self.assertIs(self.loaded.answer, before)
        self.loaded.pin()
        self.loaded.set_date(60.0)
        self.assertIs(self.loaded.answer, before)
        self.loaded.unpin()
        self.loaded.set_date(60.0)
        self.assertEqual(self.loaded.answer, before.replace(b"00:00:00", b"00:01:00"))
        self.assertEqual(self.loaded.encoded, self.chunk.encoded)

    def test_parts(self) -> None:
        """The body and the size of a response can be read separately."""
        self.assertEqual(self.loaded.encoded, self.chunk.encoded)
        self.assertEqual(self.loaded.size, len(self.loaded.answer))
        self.assertEqual(self.loaded.number, 3)

    def test_largest(self) -> None:
        """The head of the largest chunk is not longer than the assumed maximum."""
        largest = create_response(Chunk(9_999_999, 1, bytes(32), bytes(MAX_ENCODED_BYTES)), 0.0)
        self.assertLessEqual(largest.head_size, MAX_HEAD_BYTES)
        self.assertLessEqual(largest.size, MAX_RESPONSE_BYTES)


class HoldingTests(SynchronousTestCase):
    """Chunks that are pinned while their bytes are being sent."""

    def setUp(self) -> None:
        self.chunk = blank(0, 10)
        self.freed = 0

    def free(self) -> None:
        """Count the calls."""
        self.freed += 1

    def test_free(self) -> None:
        """A chunk that is not pinned is free at once."""
        self.chunk.when_unpinned(self.free)
        self.assertEqual(self.freed, 1)

    def test_held(self) -> None:
        """A pinned chunk becomes free, once, when its last pin is released."""
        self.chunk.pin()
        self.chunk.pin()
        self.chunk.when_unpinned(self.free)
        self.chunk.unpin()
        self.assertEqual(self.freed, 0)
        self.chunk.unpin()
        self.assertEqual(self.freed, 1)
        self.chunk.pin()
        self.chunk.unpin()
        self.assertEqual(self.freed, 1)
