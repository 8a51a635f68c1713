"""Child processes of tests and benchmarks: each receives SIGINT, and each is stopped in the end."""

from __future__ import annotations

import atexit
import signal
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from weakref import WeakSet

#: All processes that were started and may still run.
_STARTED: WeakSet[subprocess.Popen[Any]] = WeakSet()


def start(command: Sequence[str | Path], **options: Any) -> subprocess.Popen[Any]:
    """
    Start a process, which is killed when the tests end if it still runs then.

    A command that a shell runs in the background ignores SIGINT, and its children inherit that; this process does not.

    :param options: as :class:`subprocess.Popen` has them.
    """
    with _interruptible():
        process = subprocess.Popen(command, **options)
    _STARTED.add(process)
    return process


def end(process: subprocess.Popen[Any], seconds: float = 30) -> int:
    """
    Stop a process, even a suspended one; kill it if SIGTERM does not stop it. Return its exit code.

    :raises subprocess.TimeoutExpired: if it had to be killed.
    """
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGCONT)
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        kill(process)
        raise


def kill(process: subprocess.Popen[Any]) -> None:
    """Kill a process, and wait until it is gone."""
    process.kill()
    process.wait(30)


@contextmanager
def running(command: Sequence[str | Path], **options: Any) -> Iterator[subprocess.Popen[Any]]:
    """Run a process until the block ends, whatever ends the block."""
    process = start(command, **options)
    try:
        yield process
    finally:
        end(process)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Replace an ignored SIGINT meanwhile: a handler is not inherited by the program of a child, SIG_IGN is."""
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    if not ignored or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


@atexit.register
def kill_all() -> None:
    """Kill the processes that still run."""
    for process in list(_STARTED):
        if process.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                kill(process)
