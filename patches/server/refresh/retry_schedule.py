"""The schedule of repeated work: its due time, and its failures."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from datetime import timedelta

from attrs import define
from twisted.internet.defer import CancelledError
from twisted.logger import Logger

from patches.errors import NotThere, SourceError
from patches.server.errors import CatalogueError
from patches.service.backoff import LONGEST_PAUSE_SECONDS, Backoff
from patches.wording import one_line

log = Logger()

_FIRST_RETRY_SECONDS = 10.0
#: The longest pause after a failure, unless the source does not have the list.
LONGEST_RETRY = timedelta(seconds=LONGEST_PAUSE_SECONDS)
INTERNAL_ERROR = "internal error; see the log"


@define(eq=False)
class RetrySchedule:
    """
    The schedule of repeated work, which is repeated earlier after a failure; times in seconds of the clock.

    :ivar due: the time of the next attempt.
    :ivar failures: the number of failures since the last success.
    :ivar failed: the number of failures in all.
    :ivar error: the error of the last attempt; ``None`` after a success.
    :ivar absent: whether the last attempt failed because the source does not have the list.
    """

    due: float = 0.0
    failures: int = 0
    failed: int = 0
    error: str | None = None
    absent: bool = False

    async def run(
        self,
        what: str,
        work: Callable[[], Awaitable[None]],
        seconds: Callable[[], float],
        interval: timedelta,
        jitter: Callable[[], float] = random.random,
    ) -> bool:
        """
        Run the work. Return whether it succeeded; log a failure, unless it is that of the attempt before.

        :param what: its name in the log.
        :param seconds: returns the time.
        :param interval: the time from a success to the next attempt.
        :param jitter: returns a number in [0, 1).
        """
        before = self.error
        try:
            await work()
        except (SourceError, CatalogueError) as error:
            is_absent = isinstance(error, NotThere)
            self.fail(str(error), seconds(), interval, jitter, interval if is_absent else LONGEST_RETRY)
            self.absent = is_absent
        except CancelledError:
            raise  # the server stops: no failure, and nothing else is to begin
        except MemoryError as error:
            self.fail(one_line(error), seconds(), interval, jitter)
        except Exception:
            log.failure("{what} could not be refreshed", what=what)
            self.fail(INTERNAL_ERROR, seconds(), interval, jitter)
        else:
            self.succeed(seconds(), interval)
            if before is not None:
                log.info("{what} is refreshed again", what=what)
            return True
        if self.error != before:
            log.error("{what} could not be refreshed: {error}", what=what, error=self.error)
        return False

    def succeed(self, now: float, interval: timedelta) -> None:
        """Record a success."""
        self.failures, self.error, self.absent = 0, None, False
        self.due = now + interval.total_seconds()

    def postpone(self, times: int, now: float, interval: timedelta, jitter: Callable[[], float]) -> None:
        """Schedule the next attempt like after a number of failures in a row, but record no failure."""
        self.failures, self.error, self.absent = 0, None, False
        self.due = now + Backoff(_FIRST_RETRY_SECONDS, interval.total_seconds(), jitter).pause(times)

    def fail(
        self,
        error: str,
        now: float,
        interval: timedelta,
        jitter: Callable[[], float] = random.random,
        longest: timedelta = LONGEST_RETRY,
    ) -> None:
        """
        Record a failure; the pause doubles with each, up to the interval; servers do not retry in step.

        :param longest: the longest pause, if the interval is longer.
        """
        self.failures += 1
        self.failed += 1
        self.error, self.absent = error, False
        seconds = min(interval, longest).total_seconds()
        self.due = now + Backoff(_FIRST_RETRY_SECONDS, seconds, jitter).pause(self.failures)
