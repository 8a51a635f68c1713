"""Tests for :mod:`patches.reporter.file_producer`."""

from __future__ import annotations

import io

from twisted.internet.interfaces import IPushProducer
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from patches.reporter.file_producer import FileProducer


class Request:
    """A request that has enough after a number of blocks."""

    def __init__(self, enough: int) -> None:
        self.enough = enough
        self.written: list[bytes] = []
        self.producer: FileProducer | None = None

    def registerProducer(self, producer: FileProducer, streaming: bool) -> None:
        """Note the producer."""
        assert streaming
        self.producer = producer

    def unregisterProducer(self) -> None:
        """Forget the producer."""
        self.producer = None

    def write(self, data: bytes) -> None:
        """Take a block."""
        self.written.append(data)
        if self.producer is not None and len(self.written) % self.enough == 0:
            self.producer.pauseProducing()


class FileProducerTests(SynchronousTestCase):
    """Files that are sent."""

    def test_paused(self) -> None:
        """No more is read than the connection takes, and everything is sent in the end."""
        content = bytes(range(256)) * 2000
        request = Request(2)
        producer = FileProducer(io.BytesIO(content), request)
        verifyObject(IPushProducer, producer)
        done = producer.start()
        self.assertEqual(len(request.written), 2)
        while request.producer is not None:
            self.assertNoResult(done)
            producer.resumeProducing()
        self.successResultOf(done)
        self.assertEqual(b"".join(request.written), content)

    def test_gone(self) -> None:
        """A client that hangs up ends it: no more is written, and the request is not finished as if all was sent."""
        request = Request(1)
        producer = FileProducer(io.BytesIO(b"x" * 1_000_000), request)
        done = producer.start()
        producer.stopProducing()
        producer.stopProducing()
        producer.resumeProducing()
        self.assertNoResult(done)
        self.assertEqual(len(request.written), 1)

    def test_empty(self) -> None:
        """An empty file is sent at once."""
        self.successResultOf(FileProducer(io.BytesIO(), Request(1)).start())
