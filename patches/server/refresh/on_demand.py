"""
Demand: what scanners want of public feeds, as this server knows it.

What is asked for is noted at once, and written to the board with the next look at it: when it is new, and then once a
day. So it is refreshed by whichever server refreshes, after a restart too, and until nobody has asked for a month.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import timedelta

from patches.interfaces import Run
from patches.server.refresh.requests_table import MOST_WANTED, Requests, RequestTable
from patches.server.refresh.schedule import PublicSourceProvider

#: How often it is written down that a platform is still asked for, and how long it is wanted after that.
RENEWED_EVERY = timedelta(days=1)
WANTED_FOR = timedelta(days=30)
#: How long a platform that public feeds do not have is not looked for again.
ABSENT_FOR = timedelta(days=1)


class RequestedPlatforms:
    """
    What is wanted.

    :param run: runs what blocks.
    :param wall: tells the time in seconds since the epoch.
    """

    def __init__(
        self, request_table: RequestTable, public: PublicSourceProvider, run: Run, wall: Callable[[], float]
    ) -> None:
        self._request_table = request_table
        self._public = public
        self._run = run
        self._wall = wall
        self._requests = Requests()
        self._asked: dict[str, float] = {}

    @property
    def wanted(self) -> Collection[str]:
        """The platforms that are wanted of public feeds."""
        return self._requests.wanted.keys()

    @property
    def known(self) -> frozenset[str]:
        """What the server that refreshes has told: the platforms that configured sources have; none: not yet known."""
        return self._requests.known

    @property
    def is_new(self) -> bool:
        """Whether something was asked for that is not on the board yet."""
        return bool(self._asked)

    def ask(self, platform: str) -> bool:
        """Note that a platform was asked for; tell whether it can be, that is, public feeds may have it."""
        asked = self._requests.wanted.get(platform)
        if asked is None and (platform in self._requests.absent or not self._public.has(platform)):
            return False
        now = self._wall()
        is_old = asked is None or now - asked >= RENEWED_EVERY.total_seconds()
        if is_old and len(self._asked) < MOST_WANTED:
            self._asked.setdefault(platform, now)
        return True

    async def sync(self) -> None:
        """Write to the board what was asked for, and read what is there."""
        asked, self._asked = self._asked, {}
        if asked:
            await self._run(self._request_table.add_wanted, asked)
        self._requests = await self._run(self._request_table.read)

    def forgotten(self) -> set[str]:
        """Give the platforms for which nobody has asked for too long."""
        before = self._wall() - WANTED_FOR.total_seconds()
        return {platform for platform, asked in self._requests.wanted.items() if asked < before}

    async def forget(self, platforms: Collection[str]) -> None:
        """Have these wanted no more; what was found absent long ago may be asked for again."""
        before = self._wall() - ABSENT_FOR.total_seconds()
        old = {platform for platform, since in self._requests.absent.items() if since < before}
        if old or platforms:
            await self._run(self._request_table.forget, old.union(platforms))
            self._requests = await self._run(self._request_table.read)

    async def mark_absent(self, platforms: Collection[str]) -> None:
        """Note that these are not to be had."""
        await self._run(self._request_table.mark_absent, platforms, self._wall())
        self._requests = await self._run(self._request_table.read)

    async def publish_known(self, platforms: Collection[str]) -> None:
        """Tell the other servers which platforms configured sources have; none: that is not known."""
        await self._run(self._request_table.publish_known, platforms)
