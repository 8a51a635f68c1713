"""
The platforms that scanners request from public feeds, as this server knows them.

A request is noted at once, and written to the table of requests at the next synchronization: when it is new, and then
once a day. The platform is then refreshed by whichever server refreshes, also after a restart, until nobody has asked
for it for a month.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import timedelta

from patches.interfaces import Run
from patches.server.refresh.requests_table import MOST_WANTED, Requests, RequestTable
from patches.server.refresh.schedule import PublicSourceProvider

#: How often a request is renewed, and how long the platform is wanted after that.
RENEWED_EVERY = timedelta(days=1)
WANTED_FOR = timedelta(days=30)
#: How long an absent platform is not polled again.
ABSENT_FOR = timedelta(days=1)


class RequestedPlatforms:
    """
    The requested platforms.

    :param run: runs what blocks.
    :param wall: returns the time in seconds since the epoch.
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
        """The platforms that are wanted from public feeds."""
        return self._requests.wanted.keys()

    @property
    def known(self) -> frozenset[str]:
        """The platforms of configured sources, as the server that refreshes published them; empty: not yet known."""
        return self._requests.known

    @property
    def is_new(self) -> bool:
        """Whether there is a request that is not in the table yet."""
        return bool(self._asked)

    def ask(self, platform: str) -> bool:
        """Note a request for a platform. Return whether public feeds may have the platform."""
        asked = self._requests.wanted.get(platform)
        if asked is None and (platform in self._requests.absent or not self._public.has(platform)):
            return False
        now = self._wall()
        is_old = asked is None or now - asked >= RENEWED_EVERY.total_seconds()
        if is_old and len(self._asked) < MOST_WANTED:
            self._asked.setdefault(platform, now)
        return True

    async def sync(self) -> None:
        """Write new requests to the table, and read the table."""
        asked, self._asked = self._asked, {}
        if asked:
            await self._run(self._request_table.add_wanted, asked)
        self._requests = await self._run(self._request_table.read)

    def forgotten(self) -> set[str]:
        """Return the platforms that nobody has asked for in too long a time."""
        before = self._wall() - WANTED_FOR.total_seconds()
        return {platform for platform, asked in self._requests.wanted.items() if asked < before}

    async def forget(self, platforms: Collection[str]) -> None:
        """Remove platforms from the requests; a platform that was absent long ago may be requested again."""
        before = self._wall() - ABSENT_FOR.total_seconds()
        old = {platform for platform, since in self._requests.absent.items() if since < before}
        if old or platforms:
            await self._run(self._request_table.forget, old.union(platforms))
            self._requests = await self._run(self._request_table.read)

    async def mark_absent(self, platforms: Collection[str]) -> None:
        """Mark platforms that no public feed has."""
        await self._run(self._request_table.mark_absent, platforms, self._wall())
        self._requests = await self._run(self._request_table.read)

    async def publish_known(self, platforms: Collection[str]) -> None:
        """Publish the platforms of the configured sources to the other servers; empty: not known."""
        await self._run(self._request_table.publish_known, platforms)
