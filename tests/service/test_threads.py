"""Tests for :mod:`patches.service.threads`."""

from __future__ import annotations

import atexit
import subprocess
import sys
import time
from threading import Event, current_thread, main_thread
from typing import Any

from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from patches.service.threads import ThreadService
from tests.processes import running


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
        stopping = self.service.stopService()
        while not stopping.called:
            time.sleep(0.001)
            self.reactor.advance(0.001)
        self.successResultOf(stopping)
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

    def test_stop_waits(self) -> None:
        """Running and waiting calls are finished before the stop."""
        waiting = [self.service.run(lambda n=n: n * n) for n in range(20)]
        self.stop()
        self.assertEqual([self.successResultOf(one) for one in waiting], [n * n for n in range(20)])

    def test_stop_is_bounded(self) -> None:
        """A call that does not end is not waited for; the process then ends without it."""
        registered: list[Any] = []
        self.patch(atexit, "register", registered.append)
        over = Event()
        self.addCleanup(over.set)
        self.service.run(over.wait, 60)
        stopping = self.service.stopService()
        self.reactor.pump([0.02] * 49)
        self.assertNoResult(stopping)
        self.reactor.pump([0.02] * 2)
        self.successResultOf(stopping)
        self.assertEqual(len(registered), 1)

    def test_process_ends(self) -> None:
        """A process with a call that does not end has exit code 0, and what it printed."""
        code = (
            "import time; from twisted.internet import reactor; from patches.service.threads import ThreadService\n"
            "service = ThreadService(reactor)\n"
            "service.startService()\n"
            "service.run(time.sleep, 60)\n"
            "reactor.callWhenRunning(lambda: service.stopService().addCallback(lambda _: reactor.stop()))\n"
            "reactor.run()\n"
            "print('over')\n"
        )
        with running([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
            printed, _ = process.communicate(timeout=20)
        self.assertEqual((process.returncode, printed), (0, "over\n"))
