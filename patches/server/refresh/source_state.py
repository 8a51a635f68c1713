"""A source as the refresh sees it: its lists, the state of each, their due times, and their failures."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import define, field
from twisted.logger import Logger

from patches.interfaces import IListing, ISource, Offer
from patches.server.refresh.list_state import ListEvent, ListState, next_state
from patches.server.refresh.retry_schedule import RetrySchedule

log = Logger()

#: The time for which a platform is not published because of a source of which it is not known whether it has it.
FIRST_ANSWER_SECONDS = 10.0
#: The facts whose new entries are published at once; see :mod:`patches.server.refresh.publication.enriching`.
AT_ONCE = "kev"
#: The beginning of the problem of a list that has no record of a served platform; the reasons may follow.
EMPTY = "the list is empty"
#: The most characters of the problems of several sources, besides the number of those that are not named.
_LONGEST_PROBLEM = 500


@define(eq=False)
class SourceList:
    """
    One list of a source.

    :ivar offer: the last offer of the source.
    :ivar platforms: the platforms of the list, as far as they are known.
    :ivar state: changed by :meth:`on` only.
    :ivar checked: the time at which the source last confirmed this list; in seconds since the epoch, 0: not yet.
    :ivar doubted: whether another server may have published a newer version since it was read here.
    :ivar unpublished: its platforms that were not published since it was read.
    :ivar held_back: its platforms whose newest snapshot is held back.
    :ivar listing: what reads it now; ``None``: nothing does.
    :ivar was_growing: whether it was still changing when it was read.
    :ivar fresh: of an enriching source: the ids that were added since it was published, if these are published at once.
    :ivar empty: the number of times in a row that it was found empty.
    """

    offer: Offer
    platforms: set[str] = field(factory=set)
    attempts: RetrySchedule = field(factory=RetrySchedule)
    state: ListState = ListState.IDLE
    checked: float = 0.0
    doubted: bool = False
    unpublished: set[str] = field(factory=set)
    held_back: set[str] = field(factory=set)
    listing: IListing | None = None
    was_growing: bool = False
    empty: int = 0
    fresh: frozenset[str] = frozenset()

    def on(self, event: ListEvent) -> None:
        """Change the state after an event."""
        self.state = next_state(self.state, event)

    def note(self, listing: IListing) -> None:
        """Note what reads it now."""
        self.listing = listing

    @property
    def is_growing(self) -> bool:
        """Whether it is still changing: while it is read, or when it was."""
        return bool(self.listing.is_growing) if self.listing is not None else self.was_growing

    @property
    def is_awaited(self) -> bool:
        """Whether it was never read, and has not failed: what is built without it would lack its records."""
        return not self.checked and not self.attempts.failures and not self.empty

    @property
    def is_in_motion(self) -> bool:
        """Whether it is being read."""
        return self.state in (ListState.POLLING, ListState.IMPORTING)

    def published(self, platform: str, event: ListEvent) -> None:
        """
        Record the result of a publication of one of its platforms.

        :param event: published, shrunk or failed.
        """
        if event is not ListEvent.FAILED:
            self.unpublished.discard(platform)
            self.held_back.discard(platform)
        if event is ListEvent.SHRUNK:
            self.held_back.add(platform)
        if self.state is ListState.MERGING and (event is ListEvent.FAILED or not self.unpublished):
            self.on(ListEvent.SHRUNK if self.held_back and event is not ListEvent.FAILED else event)
        elif self.state is ListState.HELD_BACK and not self.held_back:
            self.on(ListEvent.ACCEPTED)


@define(eq=False)
class SourceState:
    """
    A source, and its lists by key.

    :ivar attempts: the schedule of asking it for its offers.
    :ivar told: whether it ever answered.
    :ivar doubted: whether another server has read it in the meantime.
    :ivar asked: the time at which it was first asked, in seconds of the clock; ``None``: not yet.
    :ivar has_changed: whether a list of it was read in the present pass.
    :ivar recheck: after how many seconds it is asked again, if it says how often it may be asked.
    :ivar again: whether it is to be read once more, as soon as the present pass has ended.
    """

    source: ISource
    source_lists: dict[str, SourceList] = field(factory=dict)
    attempts: RetrySchedule = field(factory=RetrySchedule)
    told: bool = False
    doubted: bool = False
    asked: float | None = None
    has_changed: bool = False
    recheck: float = 0.0
    again: bool = False

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

    def plan_recheck(self, now: float, soonest: float) -> None:
        """
        Schedule the next question to a source whose lists change at any time: soon after a change, then less often.

        A source that is being loaded, in bursts with pauses between them, is so followed within minutes.
        """
        self.recheck = soonest if self.has_changed else 2 * self.recheck
        self.has_changed = False
        if self.recheck:
            self.attempts.due = min(self.attempts.due, now + self.recheck)

    def retry_soon(self, now: float) -> None:
        """Schedule the source and all its lists for now; if it is being read, for the time after that."""
        self.again = True
        for attempts in self.lists_of(None):
            attempts.due = min(attempts.due, now)

    def is_settled(self, now: float) -> bool:
        """Return whether the source was asked, and all its lists were read."""
        failed = [each for each in self.lists_of(None) if each.error is not None and not each.absent]
        open_questions = [each for each in failed if not str(each.error).startswith(EMPTY)]
        return self.told and not self.is_due(now) and not open_questions

    def is_at_rest(self, now: float) -> bool:
        """Return whether nothing is done for it now: it was asked, and its lists were read, with whatever result."""
        return not self.is_due(now) and not any(each.is_in_motion for each in self.source_lists.values())

    def was_asked_before(self, time: float) -> bool:
        """Return whether it was first asked before a time, in seconds of the clock."""
        return self.asked is not None and self.asked < time

    def is_awaited(self, platform: str, now: float) -> bool:
        """
        Return whether a snapshot of a platform must wait for this source.

        It waits for lists of the platform that were never read. For the first answer of the source, and for lists whose
        platforms are known only when they were read, it waits for a short time. A list that is read again delays only
        what the same source has changed.
        """
        if not self.may_have(platform):
            return False
        is_early = self.asked is None or now - self.asked < FIRST_ANSWER_SECONDS
        if not self.told:
            return is_early and not self.attempts.failures
        lists = [
            each
            for each in self.source_lists.values()
            if platform in each.platforms or (is_early and not each.platforms)
        ]
        is_changing = any(platform in each.unpublished for each in lists)
        return any(each.is_awaited or (is_changing and each.is_in_motion) for each in lists)

    def may_have(self, platform: str) -> bool:
        """Return whether the source has a list of a platform, or may have one, as far as its platforms are known."""
        wanted = getattr(self.source, "wanted", None)
        if wanted is not None and platform not in wanted:
            return False
        platforms = [source_list.platforms for source_list in self.source_lists.values()]
        return not platforms or any(platform in names or not names for names in platforms)

    def is_empty(self, platform: str) -> bool:
        """Return whether its lists of a platform are known and empty."""
        lists = [each for each in self.source_lists.values() if platform in each.platforms]
        return bool(lists) and all(each.empty for each in lists)

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
