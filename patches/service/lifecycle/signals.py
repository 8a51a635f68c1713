"""
The signals that must not end a daemon: blocked while it has no handlers for them.

Python code handles them only while the daemon runs; before and after that, the system would end the process. Before it
they are blocked, and one that is sent meanwhile is handled once the daemon has started. They are not ignored: twistd
rotates its log file on SIGUSR1 only if nobody has changed that signal before. From when the daemon stops they are
ignored; the interpreter takes its own handlers away when it ends.

SIGINT ends a process that does not run yet as the system does, at once and without a word: Python would print where it
was. SIGTERM does so too, until the daemon takes it over before it listens.

The plugin module imports this module first, so it imports nothing of Twisted.
"""

from __future__ import annotations

import atexit
import signal
import sys
from collections.abc import Collection

BLOCKED = (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)


def block_signals() -> None:
    """Block the signals from now on, before there are threads; ignore them when the interpreter ends."""
    signal.pthread_sigmask(signal.SIG_BLOCK, BLOCKED)
    atexit.register(ignore_signals)


def block_signals_of(daemons: Collection[str]) -> None:
    """Block the signals if this process runs one of these plugins of twistd; others are not ours to change."""
    if not set(daemons).isdisjoint(sys.argv):
        block_signals()
        end_at_once()


def end_at_once() -> None:
    """Make SIGINT end the process without a traceback, unless it is ignored."""
    if signal.getsignal(signal.SIGINT) == signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def interruptible() -> None:
    """Undo :func:`end_at_once`: SIGINT raises, or Twisted handles it."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def ignore_signals() -> None:
    """Ignore the signals from now on, those with a handler included."""
    for number in BLOCKED:
        signal.signal(number, signal.SIG_IGN)


def unblock_signals() -> None:
    """Handle the signals from now on, and first those that were sent meanwhile; those without a handler are ignored."""
    for number in BLOCKED:
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, BLOCKED)
