"""A pool of threads for blocking calls, whose end takes a bounded time."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable
from functools import partial
from threading import Thread
from typing import Any, TypeVar

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.threadpool import ThreadPool

log = Logger()

T = TypeVar("T")

#: How long the running calls may take to end when the service stops, in seconds, and how often that is looked at.
END_SECONDS, _STEP_SECONDS = 1.0, 0.02


class ThreadService(Service):
    """A small thread pool of its own; small because each thread keeps memory of its own."""

    def __init__(self, reactor: Any, size: int = 3) -> None:
        self._reactor = reactor
        # All of them start at once: later there may be too little memory for a thread.
        self._pool = ThreadPool(size, size, "patches")
        self._pool.threadFactory = partial(Thread, daemon=True)  # type: ignore[assignment]  # joined here, if at all

    def startService(self) -> None:
        """Start the threads."""
        super().startService()
        self._pool.start()

    def stopService(self) -> Deferred[None]:
        """
        Wait for the running calls, but not for long, and end the threads.

        A call that takes longer is cut off with the process, as by a failure of power: what it wrote is whole or not
        there.
        """
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        left = END_SECONDS
        while self._is_busy and left > 0:
            await deferLater(self._reactor, _STEP_SECONDS)
            left -= _STEP_SECONDS
        if not self._is_busy:
            self._pool.stop()
            return
        log.warn("A call has not ended within {seconds:g} s, and is cut off", seconds=END_SECONDS)
        atexit.register(_end_process)

    @property
    def _is_busy(self) -> bool:
        return bool(self._pool.working) or self._pool.q.qsize() > 0

    def run(self, call: Callable[..., T], /, *args: Any) -> Deferred[T]:
        """Call a function in a thread."""
        return deferToThreadPool(self._reactor, self._pool, call, *args)


def _end_process() -> None:
    """End the process at once: the interpreter must not be taken down under a thread that uses a database."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
