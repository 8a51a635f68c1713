"""Tests for :mod:`patches.server.refresh.retry_schedule`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from twisted.internet.defer import CancelledError, ensureDeferred
from twisted.logger import formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from patches.errors import NotThere, SourceError
from patches.server.errors import CatalogueError
from patches.server.refresh.retry_schedule import INTERNAL_ERROR, RetrySchedule

HOUR = timedelta(hours=1)


def raising(error: BaseException | None) -> Callable[[], Awaitable[None]]:
    """Return a function that fails with an error; ``None``: that succeeds."""

    async def work() -> None:
        if error is not None:
            raise error

    return work


class RetryScheduleTests(SynchronousTestCase):
    """Work that is repeated."""

    def setUp(self) -> None:
        self.subject = RetrySchedule()

    def attempt(self, error: BaseException | None = None) -> bool:
        """Attempt the work at second 100."""
        return self.successResultOf(
            ensureDeferred(self.subject.run("it", raising(error), lambda: 100.0, HOUR, lambda: 0.0))
        )

    def facts(self) -> tuple[float, int, int, str | None, bool]:
        """Return all attributes of the schedule."""
        return self.subject.due, self.subject.failures, self.subject.failed, self.subject.error, self.subject.absent

    def test_new(self) -> None:
        """Work that was never attempted is due, and has not failed."""
        self.assertEqual(self.facts(), (0.0, 0, 0, None, False))

    def test_pauses(self) -> None:
        """The pause doubles from ten seconds up to a quarter of an hour, and is reset by a success."""
        pauses = []
        for _ in range(12):
            self.assertFalse(self.attempt(SourceError("broken")))
            pauses.append(self.subject.due - 100)
        self.assertEqual(pauses, [10, 20, 40, 80, 160, 320, 640, 900, 900, 900, 900, 900])
        self.assertEqual(self.facts(), (1000.0, 12, 12, "broken", False))
        self.assertTrue(self.attempt())
        self.assertEqual(self.facts(), (3700.0, 0, 12, None, False))
        self.attempt(SourceError("broken"))
        self.assertEqual(self.facts(), (110.0, 1, 13, "broken", False))

    def test_absent(self) -> None:
        """A list that a source does not have is asked for once in the interval, which bounds other failures too."""
        for _ in range(12):
            self.attempt(NotThere("it answered 404"))
        self.assertEqual(self.subject.due, 3700.0)
        self.subject.fail("broken", 0.0, timedelta(seconds=60), lambda: 0.0)
        self.assertEqual(self.subject.due, 60.0)

    def test_jitter(self) -> None:
        """A pause is shortened by up to half, so that servers that lost the same source do not retry in step."""
        self.subject.fail("broken", 0.0, HOUR, lambda: 1.0)
        self.assertEqual(self.subject.due, 5.0)

    def test_kinds(self) -> None:
        """External errors are reported as they are, and a missing file is distinguished from other errors."""
        self.attempt(NotThere("it answered 404"))
        self.assertEqual(self.facts()[3:], ("it answered 404", True))
        self.attempt(CatalogueError("the disk is full"))
        self.assertEqual(self.facts()[3:], ("the disk is full", False))
        self.attempt(NotThere("x"))
        self.attempt()
        self.assertEqual(self.facts()[3:], (None, False))

    def test_bug(self) -> None:
        """A bug is logged, and the reported error does not reveal its details."""
        self.assertFalse(self.attempt(ZeroDivisionError("secret")))
        self.assertEqual(self.facts(), (110.0, 1, 1, INTERNAL_ERROR, False))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_cancelled(self) -> None:
        """A cancellation is not a failure, and is passed on."""
        making = ensureDeferred(self.subject.run("it", raising(CancelledError()), lambda: 100.0, HOUR))
        self.failureResultOf(making, CancelledError)
        self.assertEqual(self.facts(), (0.0, 0, 0, None, False))

    def test_lines(self) -> None:
        """A failure that lasts is one line of the log, however often it is tried, and its end is another."""
        said: list[str | None] = []

        def note(event: Any) -> None:
            said.append(formatEvent(event))

        globalLogPublisher.addObserver(note)
        self.addCleanup(globalLogPublisher.removeObserver, note)
        away, full = SourceError("it is away"), CatalogueError("the disk is full")
        for error in (away, away, full, MemoryError(), MemoryError(), None, None):
            self.attempt(*([error] if error is not None else []))
        failed = [
            f"it could not be refreshed: {why}"
            for why in ("it is away", "the disk is full", "there is not enough memory")
        ]
        self.assertEqual(said, [*failed, "it is refreshed again"])
