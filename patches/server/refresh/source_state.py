"""A source as the refresh sees it: which lists it offers, which of them are due, and what went wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta

from attrs import define, field
from twisted.internet.defer import CancelledError
from twisted.logger import Logger

from patches.interfaces import ISource, NotThere, Offer, SourceError
from patches.server.errors import CatalogueError

log = Logger()

_FIRST_RETRY = timedelta(seconds=10)
#: What is wrong with a list in which nothing is, nothing of what is wanted at least.
EMPTY = "the list is empty"
INTERNAL_ERROR = "internal error; see the log"


@define(eq=False)
class RetrySchedule:
    """
    Something that is done again and again, sooner after a failure; times in seconds of the clock.

    :ivar due: when to do it.
    :ivar failures: how often it failed since it last succeeded.
    :ivar failed: how often it failed in all.
    :ivar error: why it failed last; ``None`` after a success.
    :ivar absent: whether that was because the source does not have it.
    """

    due: float = 0.0
    failures: int = 0
    failed: int = 0
    error: str | None = None
    absent: bool = False

    async def run(
        self, what: str, work: Callable[[], Awaitable[None]], seconds: Callable[[], float], interval: timedelta
    ) -> bool:
        """
        Do it; tell whether it did not fail.

        :param what: names it in the log.
        :param seconds: tells the time.
        :param interval: from a success to the next attempt.
        """
        try:
            await work()
        except (SourceError, CatalogueError) as error:
            self.fail(str(error), seconds(), interval)
            self.absent = isinstance(error, NotThere)
        except CancelledError:
            raise  # the server stops: no failure, and nothing else is to begin
        except Exception:
            log.failure("{what} could not be refreshed", what=what)
            self.fail(INTERNAL_ERROR, seconds(), interval)
        else:
            self.succeed(seconds(), interval)
            return True
        log.error("{what} could not be refreshed: {error}", what=what, error=self.error)
        return False

    def succeed(self, now: float, interval: timedelta) -> None:
        """Note a success."""
        self.failures, self.error, self.absent = 0, None, False
        self.due = now + interval.total_seconds()

    def fail(self, error: str, now: float, interval: timedelta) -> None:
        """Note a failure; the pause doubles with each, up to the interval."""
        self.failures += 1
        self.failed += 1
        self.error, self.absent = error, False
        self.due = now + min(_FIRST_RETRY * 2 ** min(self.failures - 1, 10), interval).total_seconds()


@define(eq=False)
class SourceList:
    """
    One list of a source.

    :ivar offer: as the source last told it.
    :ivar platforms: that it is about, as far as that is known.
    :ivar checked: when the source last said that this is its list; in seconds since the epoch, 0: not yet.
    :ivar doubted: whether another server may have published another list of it since we read it.
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

    :ivar attempts: to ask it for its offers.
    :ivar told: whether it ever answered.
    :ivar doubted: whether another server has read it meanwhile.
    """

    source: ISource
    source_lists: dict[str, SourceList] = field(factory=dict)
    attempts: RetrySchedule = field(factory=RetrySchedule)
    told: bool = False
    doubted: bool = False

    def is_due(self, now: float) -> bool:
        """Tell whether it is to be asked, or a list of it to be read."""
        return self.attempts.due <= now or any(
            source_list.attempts.due <= now for source_list in self.source_lists.values()
        )

    def take(self, offers: Iterable[Offer]) -> list[SourceList]:
        """Take up what it offers; give the lists that were not there before."""
        self.told = True
        before, self.source_lists = self.source_lists, {}
        for offer in offers:
            source_list = before.get(offer.key) or SourceList(offer, {offer.platform} if offer.platform else set())
            source_list.offer = offer
            source_list.doubted |= self.doubted and offer.key not in before
            self.source_lists[offer.key] = source_list
        return [source_list for key, source_list in self.source_lists.items() if key not in before]

    def mark_due(self, now: float) -> None:
        """Have those lists looked at of which the source just told the state; what failed waits for its next try."""
        for source_list in self.source_lists.values():
            if source_list.offer.state is not None and not source_list.attempts.failures:
                source_list.attempts.due = min(source_list.attempts.due, now)

    def wait(self) -> None:
        """Put off what depends on the source's telling the state of a list until it can be asked."""
        for source_list in self.source_lists.values():
            if source_list.offer.state is not None:
                source_list.attempts.due = max(source_list.attempts.due, self.attempts.due)

    def recheck_all(self, now: float) -> None:
        """Have all of it looked at again: another server has read it meanwhile."""
        self.doubted = True
        for source_list in self.source_lists.values():
            source_list.doubted = True
        self.retry_soon(now)

    def retry_soon(self, now: float) -> None:
        """Have it asked, and all its lists looked at, at once."""
        for attempts in self.lists_of(None):
            attempts.due = min(attempts.due, now)

    def is_settled(self, now: float) -> bool:
        """Tell whether it was asked, and every list of it read: there is nothing in it that is not known."""
        open_questions = [each for each in self.lists_of(None) if each.error not in (None, EMPTY) and not each.absent]
        return self.told and not self.is_due(now) and not open_questions

    def lists_of(self, platform: str | None) -> list[RetrySchedule]:
        """
        Give the attempts that a platform's list depends on.

        :param platform: of its lists those about this platform, and those of which that is not known; ``None``: all.
        """
        source_lists = (
            source_list
            for source_list in self.source_lists.values()
            if platform is None or platform in source_list.platforms or not source_list.platforms
        )
        return [self.attempts, *(source_list.attempts for source_list in source_lists)]


def lists_about(platform: str, sources: Iterable[SourceState]) -> list[SourceList]:
    """Give the lists of some sources that are about a platform, as far as is known."""
    return [
        source_list
        for state in sources
        for source_list in state.source_lists.values()
        if platform in source_list.platforms
    ]
