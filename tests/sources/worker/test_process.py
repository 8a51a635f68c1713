"""Tests for :mod:`patches.sources.worker.process`, with a process in memory."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ProcessDone, ProcessExitedAlready, ProcessTerminated
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from patches.errors import SourceError
from patches.sources.parse_job import FeedPart, ParseJob
from patches.sources.worker.process import Ceilings, WorkerFault, WorkerProcess
from patches.sources.worker.reply import LONGEST_REPLY, OUT_OF_MEMORY, WorkerReply

JOB = ParseJob("osv", "own", FeedPart("x", ()), (), Path("s"))


class ProcessInMemory:
    """
    The transport of a process that does nothing by itself.

    :ivar written: what was written to its standard input.
    :ivar signals: the signals that it was sent.
    """

    def __init__(self) -> None:
        self.written = b""
        self.signals: list[str] = []
        self.is_gone = False

    def write(self, data: bytes) -> None:
        """Keep what is written."""
        self.written += data

    def signalProcess(self, name: str) -> None:
        """Keep the signal."""
        if self.is_gone:
            raise ProcessExitedAlready
        self.signals.append(name)


class SpawningReactor(MemoryReactorClock):
    """
    A reactor whose processes are in memory.

    :ivar spawned: the arguments and variables of each, with its protocol.
    """

    def __init__(self) -> None:
        super().__init__()
        self.spawned: list[tuple[list[str], dict[str, str], Any]] = []
        self.trouble: OSError | None = None

    def spawnProcess(self, protocol: Any, executable: str, args: Any = (), env: Any = None, **more: Any) -> Any:
        """Start a process."""
        if self.trouble is not None:
            raise self.trouble
        protocol.makeConnection(ProcessInMemory())
        self.spawned.append((list(args), dict(env), protocol))
        return protocol.transport


class WorkerProcessTests(SynchronousTestCase):
    """A worker that was sent a job."""

    def setUp(self) -> None:
        self.reactor = SpawningReactor()
        self.worker = WorkerProcess(self.reactor, Ceilings(48 << 20, 60, 90.0))
        self.worker.start()
        self.process: Any = self.worker.transport

    def ended(self, number: int | None = None, code: int | None = None) -> None:
        """End the process."""
        self.process.is_gone = True
        kind = ProcessDone(0) if number is None and code is None else ProcessTerminated(code, number)
        self.worker.processEnded(Failure(kind))

    def fault(self, waiting: Deferred[WorkerReply]) -> str:
        """Return the error with which a job failed."""
        return str(self.failureResultOf(waiting, WorkerFault).value)

    def test_reply(self) -> None:
        """A job is sent as a line; the reply may arrive in parts; then the next job may be sent."""
        waiting = self.worker.ask(JOB)
        self.assertEqual(self.process.written, JOB.to_json().encode() + b"\n")
        line = WorkerReply("x").to_line()
        self.worker.outReceived(line[:5])
        self.assertNoResult(waiting)
        self.worker.outReceived(line[5:])
        self.assertEqual(self.successResultOf(waiting), WorkerReply("x"))
        again = self.worker.ask(JOB)
        self.worker.outReceived(WorkerReply().to_line())
        self.assertEqual(self.successResultOf(again), WorkerReply())
        self.assertEqual((self.process.signals, self.reactor.getDelayedCalls()), ([], []))

    def test_variables(self) -> None:
        """A worker inherits no variable that may have a password."""
        self.patch(__import__("os"), "environ", {"PATH": "/bin", "HTTPS_PROXY": "http://user:secret@proxy"})
        WorkerProcess(self.reactor, Ceilings(1)).start()
        self.assertEqual(self.reactor.spawned[-1][1], {"PATH": "/bin"})

    def test_memory(self) -> None:
        """A worker that reports a lack of memory is an error of the list, when it has ended."""
        waiting = self.worker.ask(JOB)
        self.worker.outReceived(OUT_OF_MEMORY)
        self.assertNoResult(waiting)
        self.ended(code=1)
        self.assertEqual(self.fault(waiting), "it needs more than 48 MiB of memory")

    def test_slow(self) -> None:
        """A list that takes too long is an error; its worker is killed."""
        waiting = self.worker.ask(JOB)
        self.reactor.advance(90)
        self.assertEqual(self.process.signals, ["KILL"])
        self.ended(signal.SIGKILL)
        self.assertEqual(self.fault(waiting), "it takes more than 90 s")

    def test_ends(self) -> None:
        """A worker that ends by itself is an error that says how."""
        for number, code, reason in (
            (signal.SIGXCPU, None, "it needs more than 60 s of the processor"),
            (signal.SIGSEGV, None, "its worker was ended by the signal SIGSEGV"),
            (None, 1, "its worker ended with exit code 1; see the log"),
            (None, None, "its worker ended with exit code 0; see the log"),
        ):
            self.setUp()
            waiting = self.worker.ask(JOB)
            self.ended(number, code)
            self.assertEqual(self.fault(waiting), reason)
            self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_garbage(self) -> None:
        """A worker that sends something else than a reply is killed."""
        for garbage in (b"[]\n", b"x" * (LONGEST_REPLY + 1)):
            self.setUp()
            waiting = self.worker.ask(JOB)
            self.worker.outReceived(garbage)
            self.assertEqual(self.process.signals, ["KILL"])
            self.ended(signal.SIGKILL)
            self.assertEqual(self.fault(waiting), "its worker sent something else than a reply")

    def test_cancelled(self) -> None:
        """A job that is cancelled kills the worker, and its end reports nothing more."""
        waiting = self.worker.ask(JOB)
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)
        self.assertEqual(self.process.signals, ["KILL"])
        self.ended(signal.SIGKILL)
        self.worker.kill("again")

    def test_not_started(self) -> None:
        """A process that cannot be started is an error of the list."""
        self.reactor.trouble = OSError(11, "Resource temporarily unavailable")
        with self.assertRaisesRegex(SourceError, "^its worker cannot be started: Resource temporarily unavailable$"):
            WorkerProcess(self.reactor, Ceilings(1)).start()
