"""Tests for :mod:`patches.service.threads`."""

from __future__ import annotations

from threading import Event, current_thread, main_thread
from typing import Any

from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from patches.service.threads import ThreadService


class QueueReactor(MemoryReactorClock):
    """A reactor that queues calls from threads."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Any] = []

    def callFromThread(self, call: Any, *args: Any, **kwargs: Any) -> None:
        """Queue a call."""
        self.asked.append(lambda: call(*args, **kwargs))


class ThreadTests(SynchronousTestCase):
    """Blocking calls run in threads."""

    def setUp(self) -> None:
        self.reactor = QueueReactor()
        self.service = ThreadService(self.reactor, 2)
        self.service.startService()

    def stop(self) -> None:
        """Stop, which waits for running calls; then deliver the results."""
        self.service.stopService()
        for call in self.reactor.asked:
            call()

    def test_result(self) -> None:
        """A call runs in a thread, and the reactor delivers its result."""
        waiting = self.service.run(lambda one, two: (one + two, current_thread() is main_thread()), 1, 2)
        self.assertNoResult(waiting)
        self.stop()
        self.assertEqual(self.successResultOf(waiting), (3, False))

    def test_error(self) -> None:
        """An error is delivered too."""
        waiting = self.service.run(lambda: 1 // 0)
        self.stop()
        self.failureResultOf(waiting, ZeroDivisionError)

    def test_stop_abandons(self) -> None:
        """If that is allowed, a call that still runs is abandoned after a time."""
        ended = Event()
        self.addCleanup(ended.set)
        self.service.run(ended.wait, 60)
        self.service.stop_seconds = 0.05
        self.service.stopService()
        self.assertFalse(ended.is_set())

    def test_stop_waits(self) -> None:
        """Running and waiting calls are finished before the stop."""
        waiting = [self.service.run(lambda n=n: n * n) for n in range(20)]
        self.stop()
        self.assertEqual([self.successResultOf(one) for one in waiting], [n * n for n in range(20)])
