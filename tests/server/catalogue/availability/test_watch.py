"""Tests for :mod:`patches.server.catalogue.availability.watch`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import LogLevel, globalLogPublisher
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from patches.server.catalogue.availability.watch import (
    ANSWER_SECONDS,
    CUT_SECONDS,
    CatalogueWatch,
    WatchService,
)
from patches.server.errors import CatalogueAway, CatalogueError, ChunkMissing, DamagedFile
from tests.server.fake_connections import FakeConnections


class Thread:
    """A thread that finishes its calls when a test says so."""

    def __init__(self) -> None:
        self.calls: list[tuple[Deferred[Any], Callable[[], Any]]] = []

    def run(self, call: Callable[..., Any], *args: Any) -> Deferred[Any]:
        """Begin a call."""
        result: Deferred[Any] = Deferred()
        self.calls.append((result, lambda: call(*args)))
        return result

    def finish(self, error: Exception | None = None) -> None:
        """Finish the first call."""
        result, call = self.calls.pop(0)
        try:
            if error is not None:
                raise error
            value = call()
        except Exception:
            result.errback(Failure())
        else:
            result.callback(value)


class CatalogueWatchTests(SynchronousTestCase):
    """A watch over a database that is asked, and answers, when a test says so."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.connections = FakeConnections()
        self.thread, self.asking = Thread(), Thread()
        self.watch = CatalogueWatch(self.connections, self.thread.run, self.asking.run, self.clock)
        self.said: list[str] = []
        globalLogPublisher.addObserver(self.note)
        self.addCleanup(globalLogPublisher.removeObserver, self.note)

    def note(self, event: Any) -> None:
        """Note the level of a line of the log."""
        if event.get("log_level") in (LogLevel.info, LogLevel.error):
            self.said.append(event["log_level"].name)

    def pass_time(self, seconds: float) -> None:
        """Advance the clock, with two ticks each second."""
        for _ in range(int(2 * seconds)):
            self.clock.advance(0.5)
            self.watch.tick()

    def test_answers(self) -> None:
        """A database that answers is not away, and nothing is logged."""
        for _ in range(3):
            self.watch.tick()
            self.asking.finish()
            self.clock.advance(1)
        self.assertIsNone(self.watch.problem)
        self.assertEqual(self.said, [])

    def test_refused(self) -> None:
        """A database that cannot be reached is away until it answers; one line of the log each way."""
        self.connections.error = CatalogueAway("connection refused")
        for _ in range(5):
            self.watch.tick()
            self.asking.finish()
        self.assertEqual((self.watch.problem, self.connections.are_refused), ("connection refused", True))
        self.connections.error = None
        self.watch.tick()
        self.asking.finish()
        self.assertEqual((self.watch.problem, self.connections.are_refused), (None, False))
        self.assertEqual(self.said, ["error", "info"])

    def test_hangs(self) -> None:
        """A database that does not answer is away after a second or two, and its connections are cut after ten."""
        self.watch.tick()
        self.pass_time(ANSWER_SECONDS - 0.5)
        self.assertIsNone(self.watch.problem)
        self.pass_time(0.5)
        self.assertIn("does not answer", str(self.watch.problem))
        self.pass_time(CUT_SECONDS - ANSWER_SECONDS - 0.5)
        self.assertEqual((self.connections.cuts, len(self.asking.calls)), (0, 1))
        self.pass_time(0.5)
        self.assertEqual(self.connections.cuts, 1)
        self.asking.finish(CatalogueAway("cut"))
        self.watch.tick()
        self.asking.finish()
        self.assertIsNone(self.watch.problem)

    def test_waits_end(self) -> None:
        """Requests that wait for a database that goes away are refused then; the call itself may end later, or fail."""
        for error in (None, CatalogueAway("cut")):
            waiting = self.watch.run(lambda: "read")
            self.watch.note(CatalogueAway("gone"))
            self.failureResultOf(waiting, CatalogueAway)
            self.thread.finish(error)
            self.failureResultOf(self.watch.run(lambda: "read"), CatalogueAway)
            self.assertEqual(self.thread.calls, [])
            self.watch.tick()
            self.asking.finish()
            self.assertEqual(self.watch.problem is None, True)

    def test_cancelled(self) -> None:
        """The result of a call that nobody waits for any more is dropped."""
        waiting = self.watch.run(lambda: "read")
        waiting.addErrback(lambda _: None)
        waiting.cancel()
        self.thread.finish()
        self.assertIsNone(self.watch.problem)

    def test_failed_call(self) -> None:
        """A file whose disk fails is away until the call that failed succeeds, or says something about one list."""
        for later in (None, ChunkMissing("pruned")):
            state: list[Exception | None] = [CatalogueError("disk I/O error")]

            def read(state: list[Exception | None] = state) -> str:
                if state[0] is not None:
                    raise state[0]
                return "read"

            waiting = self.watch.run(read)
            self.thread.finish()
            self.assertEqual(str(self.failureResultOf(waiting, CatalogueAway).value), "disk I/O error")
            self.watch.tick()
            self.asking.finish()
            self.assertEqual(self.watch.problem, "disk I/O error")
            state[0] = later
            self.watch.tick()
            self.asking.finish()
            self.assertIsNone(self.watch.problem)

    def test_other_errors(self) -> None:
        """An error about one list, or a bug, passes unchanged and says nothing about the database."""
        for error in (ChunkMissing("it"), DamagedFile("it"), ValueError("it")):
            waiting = self.watch.run(len, ())
            self.thread.finish(error)
            self.assertIs(self.failureResultOf(waiting).value, error)
            self.assertIsNone(self.watch.problem)

    def test_bug(self) -> None:
        """A bug in the question is logged with its trace, and the database is asked again."""
        self.watch.tick()
        self.asking.finish(ValueError("a bug"))
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.watch.tick()
        self.assertEqual(len(self.asking.calls), 1)

    def test_service(self) -> None:
        """The service asks by itself; when it stops, calls that a database does not answer are cut."""
        service = WatchService(self.watch, self.clock)
        service.startService()
        self.clock.pump([0.5] * 4)
        self.assertIsNotNone(self.watch.problem)
        service.stopService()
        self.assertEqual((self.connections.cuts, self.clock.getDelayedCalls()), (1, []))
