"""
The tails of a Clair's lists: places at their last rows, by which it is found what has changed since they were read.

A change deletes a row and makes one with a higher id, so that whatever is new or changed stands behind the last row
that was read. A page token leads there as long as it is not an hour old and Clair is not started anew; it is renewed in
time. The last row itself may have been changed, too: its details tell. Deletions do not show: for their sake a list is
read whole now and then. What looks as if a row had been deleted makes a tail void, and so does a token that is refused.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter
from collections.abc import Mapping
from itertools import count

from attrs import define, evolve, frozen
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from patches.interfaces import ListChanged, SourceError
from patches.platforms import Platform
from patches.sources.clair.api import ClairAPI
from patches.sources.clair.namespaces import namespace_of
from patches.sources.clair.parser import Details
from patches.wire import encode_line

log = Logger()

#: A token lives for an hour. It is renewed when it is so old: before a page is asked for, that is every quarter of an
#: hour while a list is read, and whenever the source is asked what it offers.
RENEW_SECONDS = 1500.0
#: How often a tail that was lost has its list read whole at once; else that waits until the list is due.
MAKE_UP_SECONDS = 6 * 3600.0


@frozen
class ListPosition:
    """
    A place in a list.

    :ivar token: of the page that begins there.
    :ivar issued: when it was given, or a little before; in seconds of the clock.
    """

    token: str
    issued: float


@frozen
class Tail:
    """
    Where a list ended when it was read.

    :ivar state: of the list as it was then; no other reading ever has the same.
    :ivar place: of its last row.
    :ivar last: the name in that row; ``None``: there is no row at that place.
    :ivar digest: of its details as they were given; ``None``: it has none.
    :ivar left_out: what is left out of it, by the names of entries.
    """

    state: str
    place: ListPosition
    last: str | None
    digest: bytes | None
    left_out: Mapping[str, Counter[str]]


@define(eq=False)
class _ListRead:
    """
    A list that was read; times in seconds of the clock.

    :ivar tail: ``None``: it is to be read whole.
    :ivar whole: when it was last read whole.
    :ivar lost: whether its tail was lost since.
    :ivar made_up: when a tail that was lost last had it read whole at once.
    """

    whole: float
    tail: Tail | None = None
    lost: bool = False
    made_up: float = float("-inf")


def digest_of(details: Details) -> bytes:
    """Give what is another one for other details."""
    return hashlib.sha256(encode_line(details.vulnerability) + repr(details.left_out).encode()).digest()


class Tails:
    """
    The tails of one Clair's lists, by platform.

    :param full_walk: how many seconds after it was read whole a list is read whole again.
    """

    def __init__(self, api: ClairAPI, clock: IReactorTime, full_walk: float) -> None:
        self._api = api
        self._clock = clock
        self._full_walk = full_walk
        self._lists: dict[str, _ListRead] = {}
        self._name = secrets.token_hex(8)
        self._numbers = count(1)

    def seconds(self) -> float:
        """Tell the time."""
        return self._clock.seconds()

    def new_state(self) -> str:
        """Give a state that no list has had, not even in another run of the program."""
        return f"{self._name}-{next(self._numbers)}"

    def at(self, platform: str, state: str | None) -> Tail | None:
        """Give the tail of a list in a state; a tail of another state is let go, as nobody has that list."""
        read = self._lists.get(platform)
        if read is None or read.tail is None or read.tail.state == state:
            return read.tail if read is not None else None
        read.tail = None
        return None

    def keep(self, platform: str, tail: Tail | None, whole: bool) -> None:
        """
        Note where a list ended.

        :param tail: ``None``: that cannot be told.
        :param whole: whether it was read whole.
        """
        read = self._lists.setdefault(platform, _ListRead(self.seconds()))
        read.tail, read.lost = tail, False
        if whole:
            read.whole = self.seconds()

    def forget(self, platform: str) -> None:
        """Have a list read whole, since what stands at its tail is not to be relied on."""
        read = self._lists[platform]
        read.tail, read.lost = None, True

    async def state_of(self, platform: str) -> str | None:
        """
        Tell the state of a list: it is the one in which it was read, if it ends as it did then.

        :return: ``None`` if only reading it whole will tell, and that can wait until it is due.
        """
        read, now = self._lists.get(platform), self.seconds()
        if read is None:
            return None
        if now - read.whole >= self._full_walk:
            read.tail = None
            return self.new_state()
        if read.tail is not None:
            try:
                return read.tail.state if await self._is_unchanged(platform, read.tail) else self.new_state()
            except ListChanged as change:
                log.warn("What changed cannot be told: {change}", change=str(change))
                self.forget(platform)
            except SourceError:
                return self.new_state()  # reading it will fail with the same error, and be tried again
        if read.lost and now - read.made_up >= MAKE_UP_SECONDS:
            read.made_up = now
            return self.new_state()
        return None

    async def _is_unchanged(self, platform: str, tail: Tail) -> bool:
        page = await self._api.page(namespace_of(platform), tail.place.token, limit=1)
        if page.next_page is not None or page.names != (() if tail.last is None else (tail.last,)):
            return False
        if tail.last is None or tail.digest is None:
            return True
        details = await self._api.details(namespace_of(platform), tail.last, Platform.from_name(platform))
        return details is not None and digest_of(details) == tail.digest

    async def renew(self) -> None:
        """Have those tokens renewed that get old. One that cannot be had now is tried again the next time."""
        for platform, read in list(self._lists.items()):
            tail, now = read.tail, self.seconds()
            if tail is None or now - tail.place.issued < RENEW_SECONDS:
                continue
            try:
                page = await self._api.page(namespace_of(platform), tail.place.token, limit=0)
            except ListChanged:
                self.forget(platform)
            except SourceError as error:
                log.warn(
                    "The place in the list of {platform} could not be kept: {error}", platform=platform, error=error
                )
            else:
                if page.next_page is not None and read.tail is tail:
                    read.tail = evolve(tail, place=ListPosition(page.next_page, now))
