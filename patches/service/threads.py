"""A pool of threads for blocking calls."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import Thread
from typing import Any, TypeVar

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

T = TypeVar("T")


class ThreadService(Service):
    """
    A small thread pool of its own; small because each thread keeps memory of its own.

    :ivar stop_seconds: the longest that a stop waits for the calls that still run; then they are abandoned, and end
        with the process. ``None``: it waits until they are done.
    """

    def __init__(self, reactor: Any, size: int = 3) -> None:
        self.stop_seconds: float | None = None
        self._reactor = reactor
        # All of them start at once: later there may be too little memory for a thread.
        self._pool = ThreadPool(size, size, "patches")
        self._pool.threadFactory = partial(Thread, daemon=True)  # type: ignore[assignment]  # it is only called

    def startService(self) -> None:
        """Start the threads."""
        super().startService()
        self._pool.start()

    def stopService(self) -> None:
        """Wait for the running calls and end the threads."""
        super().stopService()
        stopping = Thread(target=self._pool.stop, daemon=True)
        stopping.start()
        stopping.join(self.stop_seconds)

    def run(self, call: Callable[..., T], /, *args: Any) -> Deferred[T]:
        """Call a function in a thread."""
        return deferToThreadPool(self._reactor, self._pool, call, *args)
