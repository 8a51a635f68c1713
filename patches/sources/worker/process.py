"""A worker as the server sees it: a child process that parses one list at a time, and may end at any moment."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from attrs import frozen
from twisted.internet.base import DelayedCall
from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from patches.errors import SourceError
from patches.sources.parse_job import ParseJob
from patches.sources.worker.reply import LONGEST_REPLY, WorkerReply

log = Logger()

#: The variables that a worker inherits: those that Python needs to start, and none that may have a password.
_INHERITED = ("HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "PYTHONHOME", "PYTHONPATH", "TMPDIR", "TZ")
#: How much of what a failing worker printed is logged, in bytes.
_LONGEST_TRACE = 4 * 1024


@frozen
class Ceilings:
    """
    The ceilings of a worker.

    :ivar data_bytes: the memory that it may have besides its code.
    :ivar cpu_seconds: the time of the processor that a list may use.
    :ivar seconds: the time that a list may take.
    """

    data_bytes: int
    cpu_seconds: int = 1800
    seconds: float = 3600.0


class WorkerFault(SourceError):
    """A list that its worker did not survive: it needs another worker, and the list an error."""


class WorkerProcess(ProcessProtocol):
    """
    One worker.

    :param reactor: starts the process and has the time.
    """

    def __init__(self, reactor: Any, ceilings: Ceilings) -> None:
        self._reactor = reactor
        self._ceilings = ceilings
        self._waiting: Deferred[WorkerReply] | None = None
        self._timer: DelayedCall | None = None
        self._received = b""
        self._printed = b""
        self._fault: str | None = None

    def start(self) -> None:
        """
        Start the process.

        :raises SourceError: if it cannot be started.
        """
        numbers = os.getpid(), self._ceilings.data_bytes, self._ceilings.cpu_seconds
        command = [sys.executable, "-P", "-m", "patches.sources.worker", *map(str, numbers)]
        variables = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        try:
            self._reactor.spawnProcess(self, sys.executable, command, variables)
        except OSError as error:
            raise SourceError(f"its worker cannot be started: {error.strerror or error}") from error

    @property
    def pid(self) -> int | None:
        """The number of the process; ``None`` if it does not run."""
        transport: Any = self.transport
        return transport.pid if transport is not None else None

    def ask(self, job: ParseJob) -> Deferred[WorkerReply]:
        """
        Send a job. Return its reply; cancelling it kills the process.

        :raises WorkerFault: if the process ends before it replies, or takes too long.
        """
        waiting: Deferred[WorkerReply] = Deferred(lambda _: self._interrupt())
        self._waiting = waiting
        self._timer = self._reactor.callLater(
            self._ceilings.seconds, self.kill, f"it takes more than {self._ceilings.seconds:.0f} s"
        )
        assert self.transport is not None  # noqa: S101 - it was started
        self.transport.write(job.to_json().encode() + b"\n")
        return waiting

    def _interrupt(self) -> None:
        self._settled()  # first: its end must not fire the Deferred that is being cancelled
        self.kill("it was interrupted")

    def kill(self, reason: str) -> None:
        """
        Kill the process.

        :param reason: the error of the list that it is parsing.
        """
        self._fault = self._fault or reason
        try:
            if self.transport is not None:
                self.transport.signalProcess("KILL")
        except ProcessExitedAlready:
            pass  # its end is about to be reported

    def outReceived(self, data: bytes) -> None:
        """Receive a part of the reply."""
        self._received += data
        line, feed, rest = self._received.partition(b"\n")
        if not feed:
            if len(self._received) > LONGEST_REPLY:
                self.kill("its worker sent something else than a reply")
            return
        self._received = rest
        try:
            reply = WorkerReply.from_line(line)
        except (ValueError, RecursionError):
            self.kill("its worker sent something else than a reply")
            return
        if reply.is_out_of_memory:
            self._fault = f"it needs more than {self._ceilings.data_bytes >> 20} MiB of memory"
            return
        waiting = self._settled()
        if waiting is not None:
            waiting.callback(reply)

    def errReceived(self, data: bytes) -> None:
        """Receive what it prints; the end of it is kept."""
        self._printed = (self._printed + data)[-_LONGEST_TRACE:]

    def processEnded(self, reason: Failure = connectionDone) -> None:
        """Report the end to whoever waits for a reply."""
        waiting = self._settled()
        if waiting is None:
            return
        if self._fault is None and self._printed:
            log.error("A worker failed: {text}", text=self._printed.decode("utf-8", "replace"))
        waiting.errback(WorkerFault(self._fault or self._describe(reason.value)))

    def _describe(self, ended: Any) -> str:
        if ended.signal == signal.SIGXCPU:
            return f"it needs more than {self._ceilings.cpu_seconds} s of the processor"
        if ended.signal is not None:
            return f"its worker was ended by the signal {signal.Signals(ended.signal).name}"
        return f"its worker ended with exit code {ended.exitCode}; see the log"

    def _settled(self) -> Deferred[WorkerReply] | None:
        """Return the Deferred that waits, for the last time."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        waiting, self._waiting, self._timer = self._waiting, None, None
        return waiting
