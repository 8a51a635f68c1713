"""Tests for :mod:`patches.server.http.plain_chunks`."""

from __future__ import annotations

import gzip

from twisted.trial.unittest import SynchronousTestCase

from patches.server.budget import RESPONSES
from patches.server.catalogue.chunks import Chunk
from patches.server.errors import Denied
from patches.server.http.plain_chunks import PlainChunks
from patches.server.sessions.chunk_response import create_response
from patches.service.budget import Budget
from patches.wire import digest

BODY = b'{"Name": "CVE-1"}\n' * 100


class PlainChunkTests(SynchronousTestCase):
    """Chunks that connections of several speeds are sent without gzip."""

    def setUp(self) -> None:
        self.budget = Budget(10_000)
        self.plain_chunks = PlainChunks(self.budget)
        self.chunk = create_response(Chunk(3, 100, digest(BODY), gzip.compress(BODY)), 0.0)

    def test_uncompressed(self) -> None:
        """The response has the body without a coding, and says so."""
        with self.plain_chunks.response_of(self.chunk) as plain:
            head = plain.answer[: plain.head_size]
            self.assertEqual(plain.encoded, BODY)
        self.assertNotIn(b"Content-Encoding", head)
        self.assertIn(b"Content-Length: %d\r\n" % len(BODY), head)

    def test_shared(self) -> None:
        """All connections share one response, which is granted once, until the last of them has written it."""
        with self.plain_chunks.response_of(self.chunk) as first:
            first.pin()
        with self.plain_chunks.response_of(self.chunk) as second:
            second.pin()
        self.assertIs(first, second)
        self.assertEqual(self.budget.used[RESPONSES], first.size)
        first.unpin()
        self.assertEqual(self.budget.used[RESPONSES], first.size)
        second.unpin()
        self.assertEqual(self.budget.used[RESPONSES], 0)
        with self.plain_chunks.response_of(self.chunk) as third:
            self.assertIsNot(third, first)
        self.assertEqual(self.budget.used[RESPONSES], 0)

    def test_no_memory(self) -> None:
        """Where there is no memory for it, it is refused, and nothing is kept."""
        self.budget.take(RESPONSES, 9_000)
        with self.assertRaises(Denied) as caught, self.plain_chunks.response_of(self.chunk):
            pass
        self.assertEqual((caught.exception.code, self.budget.used[RESPONSES]), ("memory-limit", 9_000))
