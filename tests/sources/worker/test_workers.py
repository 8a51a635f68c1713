"""Tests for :mod:`patches.sources.worker.workers`."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

from attrs import evolve
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ProcessTerminated
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from patches.errors import SourceError
from patches.sources.parse_context import ParseContext
from patches.sources.parse_job import FeedPart, ParseJob
from patches.sources.worker.reply import WorkerReply
from patches.sources.worker.staged_file import write_staged
from patches.sources.worker.workers import CODE_BYTES, Workers
from tests.server.fake_catalogue import vulnerabilities
from tests.sources.worker.test_process import SpawningReactor


class WorkersTests(SynchronousTestCase):
    """The workers of two sources."""

    def setUp(self) -> None:
        self.reactor = SpawningReactor()
        self.workers = Workers(self.reactor, CODE_BYTES + 30)
        self.job = ParseJob("osv", "one", FeedPart("x", ()), (), Path(self.mktemp()))

    def parse(self, job: ParseJob) -> Deferred[Any]:
        """Parse a list."""
        return Deferred.fromCoroutine(self.workers.parse(job, job.context()))

    def protocol(self, number: int = -1) -> Any:
        """Return a process that was started."""
        return self.reactor.spawned[number][2]

    def test_records(self) -> None:
        """The records that the worker staged are returned; its ceiling is the memory without its code."""
        waiting = self.parse(self.job)
        write_staged(self.job.staged, vulnerabilities(3), ParseContext("one"))
        self.protocol().outReceived(WorkerReply().to_line())
        self.assertEqual(list(self.successResultOf(waiting)), vulnerabilities(3))
        self.assertEqual(self.reactor.spawned[0][0][-2], "30")

    def test_one_a_source(self) -> None:
        """A source has one worker for all its lists, until it rests; an error in words does not end it."""
        for job in (self.job, self.job, evolve(self.job, source="two")):
            waiting = self.parse(job)
            self.protocol().outReceived(WorkerReply("damaged").to_line())
            self.assertEqual(str(self.failureResultOf(waiting, SourceError).value), "damaged")
        self.assertEqual(len(self.reactor.spawned), 2)
        self.workers.rest("one")
        self.workers.rest("one")
        self.assertEqual([self.protocol(number).transport.signals for number in (0, 1)], [["KILL"], []])
        self.parse(self.job)
        self.assertEqual(len(self.reactor.spawned), 3)

    def test_replaced(self) -> None:
        """A worker that ended is replaced for the next list."""
        waiting = self.parse(self.job)
        self.protocol().processEnded(Failure(ProcessTerminated(None, signal.SIGSEGV)))
        self.failureResultOf(waiting, SourceError)
        self.parse(self.job)
        self.assertEqual(len(self.reactor.spawned), 2)

    def test_cancelled(self) -> None:
        """A list that is interrupted kills its worker."""
        waiting = self.parse(self.job)
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)
        self.assertIn("KILL", self.protocol().transport.signals)
