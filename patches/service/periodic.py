"""Services that go on: periodic calls that continue after an error, and coroutines."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, maybeDeferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

log = Logger()


class CoroutineService(Service):
    """A service that is one coroutine, :meth:`_go_on`, from its start to its stop."""

    def __init__(self) -> None:
        self._going: Deferred[None] = succeed(None)

    def startService(self) -> None:
        """Start the coroutine."""
        super().startService()
        self._going = Deferred.fromCoroutine(self._go_on())

    def stopService(self) -> Deferred[None]:
        """Cancel what the coroutine waits for."""
        super().stopService()
        # swapped before it is cancelled: cancelling resumes the coroutine at once, and a second stop must find it gone
        going, self._going = self._going, succeed(None)
        going.cancel()
        return going.addErrback(lambda failure: failure.trap(CancelledError) and None)

    @abstractmethod
    async def _go_on(self) -> None:
        """Do what the service does."""


class PeriodicService(Service):
    """
    Calls a function at once and then every ``interval``; an error is logged and the calls continue.

    A plain ``LoopingCall`` or ``TimerService`` ends for good at the first exception.

    :param what: the name of the call in the log.
    :param call: may return a Deferred; the next call then waits for it.
    """

    def __init__(self, what: str, interval: timedelta, call: Callable[[], Any], clock: IReactorTime) -> None:
        self._what = what
        self._interval = interval.total_seconds()
        self._call = call
        self._loop = LoopingCall(self._survive)
        self._loop.clock = clock
        self._pending: Deferred[Any] = succeed(None)

    def startService(self) -> None:
        """Make the first call now."""
        super().startService()
        self._loop.start(self._interval, now=True)

    def stopService(self) -> Deferred[Any] | None:
        """Stop the calls; cancel the Deferred of the last one, and wait for it."""
        super().stopService()
        if self._loop.running:
            self._loop.stop()
        # Replaced first: cancelling runs callbacks, and one that stops the service again must not cancel twice.
        pending, self._pending = self._pending, succeed(None)
        pending.cancel()
        return pending

    def _survive(self) -> Deferred[Any]:
        self._pending = maybeDeferred(self._call)
        self._pending.addErrback(self._note)
        return self._pending

    def _note(self, failure: Failure) -> None:
        if self.running:
            log.failure("{what} failed and will be tried again", failure=failure, what=self._what)
