"""Tests for :mod:`patches.server.refresh.publication.queue`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from patches.server.catalogue.snapshot import Snapshot
from patches.server.errors import CatalogueError
from patches.server.refresh.publication.queue import PublicationQueue
from patches.server.refresh.schedule import RefreshContext, Schedule
from tests.server.fake_catalogue import snapshot


class PublisherInMemory:
    """
    A publisher that is never called, as its thread is the test's.

    :ivar stopped: whether it was stopped.
    """

    def __init__(self) -> None:
        self.stopped = False

    def publish(self, platform: str, sources: object, checked: float, *more: float) -> Snapshot | None:
        """Return a snapshot."""
        return snapshot()

    def stop(self) -> None:
        """Note that it was stopped."""
        self.stopped = True


class QueueTests(SynchronousTestCase):
    """A queue with one platform, whose publication is in progress in a thread."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.running: list[Deferred[Any]] = []
        schedule = Schedule(timedelta(hours=1), jitter=lambda: 0.0)
        context = RefreshContext(schedule, self.run_later, self.clock, self.clock.seconds)
        self.publisher: Any = PublisherInMemory()
        self.queue = PublicationQueue(context, self.publisher)
        self.queue.add(["debian-12"])
        self.publishing = Deferred.fromCoroutine(self.queue.publish("debian-12", [], 1.0))

    def run_later(self, call: Callable[..., Any], /, *values: Any) -> Deferred[Any]:
        """Begin a call, which ends when the test says so."""
        self.running.append(Deferred())
        return self.running[-1]

    def test_done(self) -> None:
        """A platform that was published no longer waits."""
        self.running[0].callback(snapshot())
        self.assertEqual(self.successResultOf(self.publishing), (True, snapshot()))
        self.assertNotIn("debian-12", self.queue)
        self.assertEqual((self.queue.due(), self.queue.attempts("debian-12")), ([], None))

    def test_failed(self) -> None:
        """A platform that could not be published is due again after a pause; at once if its lists change."""
        self.running[0].errback(CatalogueError("the disk is full"))
        self.assertEqual(self.successResultOf(self.publishing), (False, None))
        attempts = self.queue.attempts("debian-12")
        assert attempts is not None
        self.assertEqual((self.queue.due(), attempts.error), ([], "the disk is full"))
        self.clock.advance(9)
        self.assertEqual(self.queue.due(), [])
        self.queue.add(["debian-12"])
        self.assertEqual(self.queue.due(), ["debian-12"])

    def test_changed_meanwhile(self) -> None:
        """A platform whose lists changed while it was published is published again."""
        self.queue.add(["debian-12"])
        self.running[0].callback(snapshot())
        self.successResultOf(self.publishing)
        self.assertIn("debian-12", self.queue)

    def test_cancelled(self) -> None:
        """A publication that is cancelled ends in its thread, too."""
        self.publishing.cancel()
        self.failureResultOf(self.publishing, CancelledError)
        self.assertTrue(self.publisher.stopped)
