"""Tests for :mod:`patches.server.sessions.expirations`."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.internet.testing import EventLoggingObserver
from twisted.logger import formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from patches.server.sessions.expirations import ExpirationLog


class ExpirationLogTests(SynchronousTestCase):
    """Sessions that expire, one after the other and many at once."""

    def test_summary(self) -> None:
        """Thousands of them are two lines: the first one, and a minute later the number of the others."""
        observer = EventLoggingObserver.createWithCleanup(self, globalLogPublisher)
        clock = Clock()
        expirations = ExpirationLog(clock)
        for _ in range(2000):
            expirations.note("debian-12", "it was silent")
        clock.advance(59)
        expirations.tick()
        self.assertEqual(len(observer), 1)
        clock.advance(1)
        expirations.tick()
        expirations.tick()
        clock.advance(60)
        expirations.note("debian-12", "it was slow")
        self.assertEqual(
            [formatEvent(event) for event in observer],
            [
                "A session of debian-12 expired: it was silent",
                "1999 more sessions expired within a minute",
                "A session of debian-12 expired: it was slow",
            ],
        )
