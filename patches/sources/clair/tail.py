"""
The tails of a Clair's lists: the positions of their last rows, from which changes are read.

A change deletes a row and creates one with a higher id, so that every new or changed entry is behind the last row that
was read. A page token leads there for an hour, unless Clair is restarted; it is renewed in time. The last row itself
may have changed too: its details show that. Deletions do not show: because of them a list is read completely at
intervals. A sign that a row was deleted makes a tail void, and so does a token that is refused.
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

from patches.errors import ListChanged, SourceError
from patches.platforms import Platform
from patches.sources.clair.api import ClairAPI
from patches.sources.clair.namespaces import namespace_of
from patches.sources.clair.parser import Details
from patches.wire import encode_line

log = Logger()

#: A token is valid for an hour. It is renewed at this age: before a page is requested, that is every quarter of an hour
#: while a list is read, and whenever the source's offers are requested.
RENEW_SECONDS = 1500.0
#: The shortest time between full passes because of a lost tail; otherwise a lost tail waits until the list is due.
MAKE_UP_SECONDS = 6 * 3600.0


@frozen
class ListPosition:
    """
    A position in a list.

    :ivar token: the token of the page that begins there.
    :ivar issued: the time at which it was issued, or a little earlier; in seconds of the clock.
    """

    token: str
    issued: float


@frozen
class Tail:
    """
    The end of a list at its last pass.

    :ivar state: the state of the list at that time, unique to that pass.
    :ivar place: the position of its last row.
    :ivar last: the name in that row; ``None``: there is no row at that position.
    :ivar digest: the digest of its details; ``None``: unknown.
    :ivar left_out: the reasons of skipped entries, by the names of the entries.
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

    :ivar tail: ``None``: the whole list has to be read.
    :ivar whole: the time of the last full pass.
    :ivar lost: whether its tail was lost since.
    :ivar made_up: the time of the last full pass because of a lost tail.
    """

    whole: float
    tail: Tail | None = None
    lost: bool = False
    made_up: float = float("-inf")


def digest_of(details: Details) -> bytes:
    """Return a digest that differs for different details."""
    return hashlib.sha256(encode_line(details.vulnerability) + repr(details.left_out).encode()).digest()


class Tails:
    """
    The tails of one Clair's lists, by platform.

    :param full_walk: the number of seconds after which a list is read completely again.
    """

    def __init__(self, api: ClairAPI, clock: IReactorTime, full_walk: float) -> None:
        self._api = api
        self._clock = clock
        self._full_walk = full_walk
        self._lists: dict[str, _ListRead] = {}
        self._name = secrets.token_hex(8)
        self._numbers = count(1)

    def seconds(self) -> float:
        """Return the time of the clock, in seconds."""
        return self._clock.seconds()

    def new_state(self) -> str:
        """Return a state that no list has had, not even in another run of the program."""
        return f"{self._name}-{next(self._numbers)}"

    def at(self, platform: str, state: str | None) -> Tail | None:
        """
        Return the tail of a list in a state.

        A tail of another state is dropped, as the caller does not have the list that it belongs to.
        """
        read = self._lists.get(platform)
        if read is None or read.tail is None or read.tail.state == state:
            return read.tail if read is not None else None
        read.tail = None
        return None

    def keep(self, platform: str, tail: Tail | None, whole: bool) -> None:
        """
        Record the end of a list.

        :param tail: ``None``: it is unknown.
        :param whole: whether the whole list was read.
        """
        read = self._lists.setdefault(platform, _ListRead(self.seconds()))
        read.tail, read.lost = tail, False
        if whole:
            read.whole = self.seconds()

    def forget(self, platform: str) -> None:
        """Drop the tail of a list, which is no longer reliable: the whole list will be read."""
        read = self._lists[platform]
        read.tail, read.lost = None, True

    async def state_of(self, platform: str) -> str | None:
        """
        Return the state of a list: that of its last pass, if its end is unchanged.

        :return: ``None`` if only a full pass can show whether it changed, and that pass is not due yet.
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
                log.warn("The list must be read completely: {change}", change=str(change))
                self.forget(platform)
            except SourceError:
                return self.new_state()  # reading it will fail with the same error and be retried
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
        """Renew the tokens that are about to expire; one that cannot be renewed now is tried again the next time."""
        # A copy of the items: another pass may add a list while a request is in progress.
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
                    "The position in the list of {platform} could not be renewed: {error}",
                    platform=platform,
                    error=error,
                )
            else:
                # The tail may have been replaced or dropped while the request was in progress.
                if page.next_page is not None and read.tail is tail:
                    read.tail = evolve(tail, place=ListPosition(page.next_page, now))
