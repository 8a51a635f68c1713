"""The state of a source as the refresh sees it: its lists, their due times, and their failures."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta

from attrs import define, field
from twisted.internet.defer import CancelledError
from twisted.logger import Logger

from patches.errors import NotThere, SourceError
from patches.interfaces import ISource, Offer
from patches.server.errors import CatalogueError
from patches.service.backoff import Backoff

log = Logger()

_FIRST_RETRY_SECONDS = 10.0
#: The beginning of the problem of a list that has no record of a served platform; the reasons may follow.
EMPTY = "the list is empty"
#: The most characters of the problems of several sources, besides the number of those that are not named.
_LONGEST_PROBLEM = 500
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
        Run the work. Return whether it succeeded.

        :param what: its name in the log.
        :param seconds: returns the time.
        :param interval: the time from a success to the next attempt.
        :param jitter: returns a number in [0, 1).
        """
        try:
            await work()
        except (SourceError, CatalogueError) as error:
            self.fail(str(error), seconds(), interval, jitter)
            self.absent = isinstance(error, NotThere)
        except CancelledError:
            raise  # the server stops: no failure, and nothing else is to begin
        except Exception:
            log.failure("{what} could not be refreshed", what=what)
            self.fail(INTERNAL_ERROR, seconds(), interval, jitter)
        else:
            self.succeed(seconds(), interval)
            return True
        log.error("{what} could not be refreshed: {error}", what=what, error=self.error)
        return False

    def succeed(self, now: float, interval: timedelta) -> None:
        """Record a success."""
        self.failures, self.error, self.absent = 0, None, False
        self.due = now + interval.total_seconds()

    def fail(self, error: str, now: float, interval: timedelta, jitter: Callable[[], float] = random.random) -> None:
        """Record a failure; the pause doubles with each, up to the interval; servers do not retry in step."""
        self.failures += 1
        self.failed += 1
        self.error, self.absent = error, False
        self.due = now + Backoff(_FIRST_RETRY_SECONDS, interval.total_seconds(), jitter).pause(self.failures)


@define(eq=False)
class SourceList:
    """
    One list of a source.

    :ivar offer: the last offer of the source.
    :ivar platforms: the platforms of the list, as far as they are known.
    :ivar checked: the time at which the source last confirmed this list; in seconds since the epoch, 0: not yet.
    :ivar doubted: whether another server may have published a newer version since it was read here.
    """

    offer: Offer
    platforms: set[str] = field(factory=set)
    attempts: RetrySchedule = field(factory=RetrySchedule)
    checked: float = 0.0
    doubted: bool = False


@define(eq=False)
class SourceState:
    """
    A source, and its lists by key.

    :ivar attempts: the schedule of asking it for its offers.
    :ivar told: whether it ever answered.
    :ivar doubted: whether another server has read it in the meantime.
    """

    source: ISource
    source_lists: dict[str, SourceList] = field(factory=dict)
    attempts: RetrySchedule = field(factory=RetrySchedule)
    told: bool = False
    doubted: bool = False

    def is_due(self, now: float) -> bool:
        """Return whether the source must be asked, or one of its lists read."""
        return self.attempts.due <= now or any(
            source_list.attempts.due <= now for source_list in self.source_lists.values()
        )

    def take(self, offers: Iterable[Offer]) -> list[SourceList]:
        """Store the offers of the source. Return the lists that are new."""
        self.told = True
        before, self.source_lists = self.source_lists, {}
        for offer in offers:
            source_list = before.get(offer.key) or SourceList(offer, {offer.platform} if offer.platform else set())
            source_list.offer = offer
            source_list.doubted |= self.doubted and offer.key not in before
            self.source_lists[offer.key] = source_list
        return [source_list for key, source_list in self.source_lists.items() if key not in before]

    def mark_due(self, now: float) -> None:
        """Schedule every list whose state was just reported; failed lists keep their retry time."""
        for source_list in self.source_lists.values():
            if source_list.offer.state is not None and not source_list.attempts.failures:
                source_list.attempts.due = min(source_list.attempts.due, now)

    def wait(self) -> None:
        """Postpone the lists whose state the source must report, until it can be asked."""
        for source_list in self.source_lists.values():
            if source_list.offer.state is not None:
                source_list.attempts.due = max(source_list.attempts.due, self.attempts.due)

    def recheck_all(self, now: float) -> None:
        """Re-check everything: another server was the leader in the meantime."""
        self.doubted = True
        for source_list in self.source_lists.values():
            source_list.doubted = True
        self.retry_soon(now)

    def retry_soon(self, now: float) -> None:
        """Schedule the source and all its lists for now."""
        for attempts in self.lists_of(None):
            attempts.due = min(attempts.due, now)

    def is_settled(self, now: float) -> bool:
        """Return whether the source was asked, and all its lists were read."""
        failed = [each for each in self.lists_of(None) if each.error is not None and not each.absent]
        open_questions = [each for each in failed if not str(each.error).startswith(EMPTY)]
        return self.told and not self.is_due(now) and not open_questions

    def may_have(self, platform: str) -> bool:
        """Return whether the source has a list of a platform, or may have one, as far as its platforms are known."""
        wanted = getattr(self.source, "wanted", None)
        if wanted is not None and platform not in wanted:
            return False
        platforms = [source_list.platforms for source_list in self.source_lists.values()]
        return not platforms or any(platform in names or not names for names in platforms)

    def lists_of(self, platform: str | None) -> list[RetrySchedule]:
        """
        Return the schedules that a platform's list depends on.

        :param platform: its lists, and the lists whose platforms are not known; ``None``: all lists.
        """
        if platform is not None and not self.may_have(platform):
            return []
        source_lists = (
            source_list
            for source_list in self.source_lists.values()
            if platform is None or platform in source_list.platforms or not source_list.platforms
        )
        return [self.attempts, *(source_list.attempts for source_list in source_lists)]


def problem_of(sources: Iterable[SourceState], platform: str | None = None) -> str | None:
    """
    Return the problems of some sources, each with the name of its source; ``None`` if they have none.

    :param platform: the problems of its list only; ``None``: of all lists.
    """
    found = dict.fromkeys(
        f"{state.source.name}: {attempts.error}"
        for state in sources
        for attempts in state.lists_of(platform)
        if attempts.error is not None
    )
    text = ""
    for number, problem in enumerate(found):
        if number and len(text) + len(problem) > _LONGEST_PROBLEM:
            return f"{text}; and {len(found) - number} more"
        text = f"{text}; {problem}" if number else problem[:_LONGEST_PROBLEM]
    return text or None


def lists_about(platform: str, sources: Iterable[SourceState]) -> list[SourceList]:
    """Return the lists of some sources about a platform, as far as they are known."""
    return [
        source_list
        for state in sources
        for source_list in state.source_lists.values()
        if platform in source_list.platforms
    ]
