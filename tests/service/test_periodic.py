"""Tests for :mod:`patches.service.periodic`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from patches.service.periodic import PeriodicService


class PeriodicTests(SynchronousTestCase):
    """A call every ten seconds."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.calls: list[float] = []
        self.result: Any = None
        self.service = PeriodicService("Counting", timedelta(seconds=10), self.call, self.clock)

    def call(self) -> Any:
        """Record the time; raise the error, if there is one."""
        self.calls.append(self.clock.seconds())
        if isinstance(self.result, Exception):
            raise self.result
        return self.result

    def test_at_once_and_then(self) -> None:
        """The function is called at once when the service starts, and then every interval."""
        self.assertEqual(self.calls, [])
        self.service.startService()
        self.clock.pump([5] * 5)
        self.assertEqual(self.calls, [0, 10, 20])

    def test_error(self) -> None:
        """Each error is logged, and the calls continue."""
        self.result = ZeroDivisionError()
        self.service.startService()
        self.clock.pump([10, 10])
        self.assertEqual(self.calls, [0, 10, 20])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 3)

    def test_error_later(self) -> None:
        """An error of a Deferred is logged too."""
        self.result = waiting = Deferred()
        self.service.startService()
        self.result = None
        waiting.errback(ZeroDivisionError())
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.clock.pump([10])
        self.assertEqual(self.calls, [0, 10])

    def test_one_at_a_time(self) -> None:
        """A call does not begin before the last one has ended."""
        self.result = waiting = Deferred()
        self.service.startService()
        self.clock.pump([10] * 3)
        self.assertEqual(self.calls, [0])
        self.result = None
        waiting.callback(None)
        self.clock.pump([10])
        self.assertEqual(self.calls, [0, 40])

    def test_stop(self) -> None:
        """After the stop there is no further call, and no delayed call is left."""
        self.service.startService()
        self.service.stopService()
        self.clock.pump([10] * 3)
        self.assertEqual((self.calls, self.clock.getDelayedCalls()), ([0], []))

    def test_stop_in_a_call(self) -> None:
        """A call in progress is cancelled and waited for; that is not logged as an error."""
        cancelled: list[Any] = []
        self.result = Deferred(lambda waiting: cancelled.append(waiting))
        self.service.startService()
        stopped = self.service.stopService()
        self.assertEqual(cancelled, [self.result])
        assert stopped is not None
        self.successResultOf(stopped)
        self.assertEqual(self.flushLoggedErrors(CancelledError), [])

    def test_stop_waits(self) -> None:
        """The stop waits for a call that needs time to end."""
        ending: Deferred[None] = Deferred()

        async def call() -> None:
            try:
                await Deferred()
            except CancelledError:
                await ending

        self.service = PeriodicService(
            "Ending", timedelta(seconds=10), lambda: Deferred.fromCoroutine(call()), self.clock
        )
        self.service.startService()
        stopped = self.service.stopService()
        assert stopped is not None
        self.assertNoResult(stopped)
        ending.callback(None)
        self.successResultOf(stopped)

    def test_coroutine(self) -> None:
        """A coroutine is awaited."""
        done = []

        async def call() -> None:
            done.append(True)

        PeriodicService("Running", timedelta(seconds=10), call, self.clock).startService()
        self.clock.pump([10])
        self.assertEqual(done, [True, True])

    def test_start_again(self) -> None:
        """The service can be started again."""
        self.service.startService()
        self.service.stopService()
        self.clock.advance(3)
        self.service.startService()
        self.clock.pump([10])
        self.assertEqual(self.calls, [0, 3, 13])
