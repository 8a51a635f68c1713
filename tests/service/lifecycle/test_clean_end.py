"""Tests for :mod:`patches.service.lifecycle.clean_end`."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import Any

from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from patches.service.lifecycle.clean_end import END_SECONDS, CleanEndService

_EARLY = """
import signal
from twisted.application.service import Service
from twisted.internet import reactor
from patches.service.lifecycle.clean_end import CleanEndService
from patches.service.lifecycle.signals import end_at_once

signal.signal(signal.SIGINT, signal.default_int_handler)  # what a background job of a shell ignores is inherited
end_at_once()
service = CleanEndService(reactor)
signal.raise_signal(signal.SIGTERM)
service.startService()
reactor.addSystemEventTrigger("before", "startup", signal.raise_signal, signal.SIGTERM)
reactor.run()
print(signal.getsignal(signal.SIGINT) == reactor.sigInt, reactor._exitSignal)
"""


class SignalReactor(MemoryReactorClock):
    """A running reactor that accepts calls from signal handlers."""

    stopped = crashed = 0

    def crash(self) -> None:
        """Count the calls."""
        self.crashed += 1

    def callWhenRunning(self, call: Any, *args: Any, **kwargs: Any) -> None:
        """Call at once, as the reactor runs."""
        call(*args, **kwargs)

    def callFromThread(self, call: Any, *args: Any, **kwargs: Any) -> None:
        """Call at once."""
        call(*args, **kwargs)

    def stop(self) -> None:
        """Count the calls."""
        self.running = False
        self.stopped += 1


class CleanEndTests(SynchronousTestCase):
    """``SIGTERM``."""

    def test_stops(self) -> None:
        """The signal stops the reactor, once."""
        self.addCleanup(signal.signal, signal.SIGTERM, signal.getsignal(signal.SIGTERM))
        reactor = SignalReactor()
        reactor.running = True
        CleanEndService(reactor).startService()
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
        self.assertEqual(reactor.stopped, 1)

    def test_bounded(self) -> None:
        """A part that does not end is not waited for."""
        self.addCleanup(signal.signal, signal.SIGTERM, signal.getsignal(signal.SIGTERM))
        reactor = SignalReactor()
        reactor.running = True
        CleanEndService(reactor).startService()
        signal.raise_signal(signal.SIGTERM)
        reactor.advance(END_SECONDS - 0.1)
        self.assertEqual(reactor.crashed, 0)
        reactor.advance(0.1)
        self.assertEqual(reactor.crashed, 1)

    def test_early(self) -> None:
        """A signal before the reactor runs stops it as soon as it does; SIGINT is the reactor's from then on."""
        ended = subprocess.run([sys.executable, "-c", _EARLY], timeout=30, check=False, capture_output=True, text=True)
        self.assertEqual((ended.returncode, ended.stdout, ended.stderr), (0, "True None\n", ""))
