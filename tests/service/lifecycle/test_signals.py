"""Tests for :mod:`patches.service.lifecycle.signals`."""

from __future__ import annotations

import signal
import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

from patches.service.lifecycle.signals import (
    BLOCKED,
    block_signals,
    block_signals_of,
    end_at_once,
    interruptible,
    unblock_signals,
)

_ENDS = """
import atexit, os, signal
atexit.register(lambda: [os.kill(os.getpid(), number) for number in (signal.SIGHUP, signal.SIGUSR1)])
from patches.service.lifecycle.signals import block_signals, unblock_signals
signal.signal(signal.SIGHUP, lambda *_: None)
block_signals()
unblock_signals()
"""


def blocked() -> set[int]:
    """Return the signals that this thread blocks."""
    return {int(number) for number in signal.pthread_sigmask(signal.SIG_BLOCK, ())}


class SignalsTests(SynchronousTestCase):
    """This process, with the signals as the system has them."""

    def setUp(self) -> None:
        self.addCleanup(signal.pthread_sigmask, signal.SIG_SETMASK, signal.pthread_sigmask(signal.SIG_BLOCK, ()))
        self.addCleanup(signal.signal, signal.SIGINT, signal.getsignal(signal.SIGINT))
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number in BLOCKED:
            self.addCleanup(signal.signal, number, signal.getsignal(number))
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, BLOCKED)

    def test_held(self) -> None:
        """A signal that was sent meanwhile is handled when they are released; one without a handler is ignored."""
        seen: list[int] = []
        block_signals()
        for number in BLOCKED:
            signal.raise_signal(number)
        signal.signal(signal.SIGHUP, lambda number, _: seen.append(number))
        self.assertEqual(seen, [])
        unblock_signals()
        self.assertEqual(seen, [signal.SIGHUP])
        for number in BLOCKED:
            signal.raise_signal(number)
        self.assertEqual(seen, [signal.SIGHUP] * 2)

    def test_handlers(self) -> None:
        """A handler of twistd stays; a signal that nobody has changed looks so while it is blocked."""
        block_signals()
        self.assertEqual({signal.getsignal(number) for number in BLOCKED}, {signal.SIG_DFL})
        signal.signal(signal.SIGUSR1, signal.default_int_handler)
        unblock_signals()
        handlers = [signal.getsignal(number) for number in (signal.SIGUSR1, signal.SIGUSR2)]
        self.assertEqual(handlers, [signal.default_int_handler, signal.SIG_IGN])

    def test_daemons(self) -> None:
        """The process of another plugin is left as it is."""
        block_signals_of(["patches-kettle"])
        self.assertTrue(blocked().isdisjoint(BLOCKED))
        self.patch(sys, "argv", ["twistd", "-n", "patches-kettle"])
        block_signals_of(["patches-kettle"])
        self.assertTrue(blocked().issuperset(BLOCKED))
        self.assertEqual(signal.getsignal(signal.SIGINT), signal.SIG_DFL)
        interruptible()
        self.assertEqual(signal.getsignal(signal.SIGINT), signal.default_int_handler)

    def test_ignored(self) -> None:
        """A process that was started with SIGINT ignored goes on ignoring it."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        end_at_once()
        interruptible()
        self.assertEqual(signal.getsignal(signal.SIGINT), signal.SIG_IGN)

    def test_end(self) -> None:
        """A signal while the interpreter ends changes nothing, whichever handlers there are."""
        ended = subprocess.run([sys.executable, "-c", _ENDS], timeout=30, check=False)
        self.assertEqual(ended.returncode, 0)
