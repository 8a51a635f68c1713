"""
Clair 2 as a vulnerability source: its lists are read completely at first, and again at intervals.

In between, the names of each list are walked and compared with those that were read: only what is different is read.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from attrs import field, frozen
from attrs.validators import ge
from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from patches.errors import ListChanged, SourceError
from patches.interfaces import ISource, Offer
from patches.platforms import Platform
from patches.service.clocks import SteadyTime
from patches.sources.clair.api import ClairAPI, check_base_url
from patches.sources.clair.difference import compare
from patches.sources.clair.ledger import Ledger, Ledgers, new_state
from patches.sources.clair.listing import QUIET_SECONDS, ClairListing
from patches.sources.clair.namespaces import namespace_of, platform_of
from patches.sources.clair.walk import walk
from patches.sources.config import SourceConfig
from patches.sources.context import CONVERTED, SourceContext, SourceKind
from patches.sources.feed_config import one_location
from patches.sources.fetch.access import Access
from patches.sources.fetch.clients import pooled_client
from patches.sources.fetch.retry import Client, FetchSettings, RetryingClient

#: How often the names of each list are walked: this shows what has changed, what is new, and what is gone.
ASK_WITHIN = timedelta(minutes=30)
FULL_WALK = timedelta(days=1)
#: Lists that are read side by side share the rate of requests equally, so that a long one holds up no short one.
LISTS_AT_ONCE = 8
#: The memory for the names and digests of the lists that are read side by side (measured: 41 MiB for eight of 13,000
#: entries, of which 8 MiB are granted to every source).
LISTS_BYTES = 34 * 1024 * 1024


@frozen
class ClairSettings:
    """
    The settings with which a Clair is read.

    :ivar page_size: the highest number of vulnerabilities on a page of a list.
    :ivar fetch: the limits of requests.
    :ivar full_walk: the time after which a list is read completely again.
    :ivar quiet_seconds: how long the names of a list must be unchanged, if it was read whole or has changed meanwhile.
    :ivar steady: returns the time in seconds since the epoch, for the ages of ledgers; ``None``: that of the clock.
    """

    page_size: int = field(default=500, validator=ge(1))
    fetch: FetchSettings = field(factory=FetchSettings)
    full_walk: timedelta = FULL_WALK
    quiet_seconds: float = QUIET_SECONDS
    steady: Callable[[], float] | None = None


@frozen
class _End:
    """
    The end of a list when its names were walked.

    :ivar walked: that time; seconds of the clock.
    :ivar token: of the last page; ``None``: it is the only one.
    """

    walked: float
    token: str | None
    names: tuple[str, ...]


@implementer(ISource)
class ClairSource:
    """A Clair under a base URL."""

    rank = 1
    lists_at_once = LISTS_AT_ONCE
    worker_bytes = LISTS_BYTES

    def __init__(
        self,
        client: Client,
        base_url: str,
        clock: IReactorTime,
        settings: ClairSettings | None = None,
        jitter: Callable[[], float] = random.random,
        name: str = "clair",
        folder: Path | None = None,
    ) -> None:
        """
        Create a source; no request is sent yet.

        :param client: a treq client.
        :param base_url: the URL above ``/v1``; it may contain a path.
        :param folder: where it is noted which rows were read; ``None``: in memory only.
        :raises ValueError: if the base URL is not valid.
        """
        self.name = name
        settings = settings or ClairSettings()
        fetcher = RetryingClient(client, clock, settings.fetch, jitter)
        self.enriches = None
        self.ask_within = min(ASK_WITHIN, settings.full_walk)
        self.left_out: Mapping[str, str] = {}
        self._api = ClairAPI(check_base_url(base_url), fetcher, settings.page_size, name)
        self._clock = clock
        self._ledgers = Ledgers(folder, self._api.base_url)
        self._full_walk = settings.full_walk.total_seconds()
        self._parallel = settings.fetch.parallel
        self._quiet_seconds = settings.quiet_seconds
        self._steady = settings.steady or clock.seconds
        self._ends: dict[str, _End] = {}

    def rest(self) -> None:
        """See :class:`~patches.interfaces.ISource`: there is no worker."""

    async def platforms(self) -> list[str]:
        """Return the platforms that have a namespace now, sorted; the others are noted in :attr:`left_out`."""
        found = {namespace: platform_of(namespace) for namespace in await self._api.namespaces()}
        self.left_out = {
            namespace: "no platform has this name" for namespace, platform in found.items() if platform is None
        }
        return sorted({platform for platform in found.values() if platform is not None})

    async def offers(self) -> list[Offer]:
        """Return an offer for each platform, short lists first; a list that was read is compared with its names now."""
        found = []
        for platform in await self.platforms():
            ledger = self._ledgers.load(platform)
            if ledger is None:
                found.append((await self._size(platform), Offer(platform, None, platform)))
            else:
                found.append((len(ledger.rows), Offer(platform, await self._state(platform, ledger), platform)))
        return [offer for _, offer in sorted(found, key=lambda pair: pair[0])]

    def listing(self, key: str, since: str | None = None) -> ClairListing:
        """Return a listing of a platform's list, or of what is different since the given state, if that is known."""
        platform, ledger = Platform.from_name(key), self._ledgers.load(key)
        if ledger is not None and (ledger.state != since or self._is_due(ledger)):
            ledger = None
        self._ends.pop(key, None)
        return ClairListing(
            self._api,
            self._clock,
            self._ledgers,
            platform,
            self._parallel,
            self._quiet_seconds,
            ledger,
            self._steady(),
        )

    def _is_due(self, ledger: Ledger) -> bool:
        """Return whether the whole list must be read again."""
        return not 0 <= self._steady() - ledger.whole < self._full_walk

    async def _size(self, platform: str) -> int:
        """Return the number of entries of a list that was not read yet; of a long one, more than a page."""
        try:
            page = await self._api.page(namespace_of(platform), None, Platform.from_name(platform))
        except SourceError:
            return 0  # reading it will fail with the same error and be retried
        return len(page.names) if page.next_page is None else self._api.page_size + 1

    async def _state(self, platform: str, ledger: Ledger) -> str:
        """Return the state of a list that was read: the same, if no row is new, has changed, or is gone."""
        try:
            is_same = not self._is_due(ledger) and await self._is_unchanged(Platform.from_name(platform), ledger)
        except SourceError:
            is_same = False  # reading it will fail with the same error and be retried
        return ledger.state if is_same else new_state()

    async def _is_unchanged(self, platform: Platform, ledger: Ledger) -> bool:
        """Compare the names of a list with those that were read, and the details of its last row."""
        namespace, now = namespace_of(str(platform)), self._clock.seconds()
        end = self._ends.get(str(platform))
        if end is None or now - end.walked >= ASK_WITHIN.total_seconds() or not await self._is_end(platform, end):
            names = await walk(self._api, namespace, platform)
            if not compare(ledger.rows, names.all).is_none or any(
                ledger.rows[name] != details.digest for name, details in names.told.items()
            ):
                return False
            self._ends[str(platform)] = _End(now, names.end, names.last_page)
        last = next((name for name in reversed(list(ledger.rows)) if ledger.rows[name] and "/" not in name), None)
        details = await self._api.details(namespace, last, platform) if last is not None else None
        return last is None or (details is not None and details.digest == ledger.rows[last])

    async def _is_end(self, platform: Platform, end: _End) -> bool:
        """Return whether the last page of a list is as it was when its names were walked."""
        try:
            page = await self._api.page(namespace_of(str(platform)), end.token, platform)
        except ListChanged:
            return False
        return page.next_page is None and page.names == end.names


def clair_source(
    reactor: Any,
    base_url: str,
    rate: float | None = None,
    name: str = "clair",
    access: Access | None = None,
    full_walk: timedelta = FULL_WALK,
    folder: Path | None = None,
) -> ClairSource:
    """
    Create a source that keeps a few connections to its Clair.

    :param rate: the highest number of requests per second; ``None``: no limit, with four in progress at a time.
    :param access: the proxies, certificates and headers to use; ``None``: a direct connection.
    :param full_walk: the time after which a list is read completely again.
    :param folder: see :class:`ClairSource`.
    :raises ValueError: if the base URL is not valid.
    """
    settings = ClairSettings(fetch=FetchSettings(rate=rate), full_walk=full_walk, steady=SteadyTime())
    client = pooled_client(reactor, settings.fetch.parallel, settings.fetch.timeout_seconds, access)
    return ClairSource(client, base_url, reactor, settings, name=name, folder=folder)


def ledger_folder(folder: Path, name: str) -> Path:
    """Return the folder of the ledgers of a Clair, by the name of the source, in that of all sources."""
    return folder / "clair" / name


def create_source(config: SourceConfig, context: SourceContext, wanted: frozenset[str] | None) -> ISource:
    """
    Create a source of a Clair; its platforms are those of its namespaces.

    :raises BadSetting: if several locations are configured.
    """
    location = one_location(config)
    access = Access.from_config(config, context.environment)
    full_walk = config.full_walk or FULL_WALK
    folder = ledger_folder(context.folder, config.name)
    return clair_source(context.reactor, location, name=config.name, access=access, full_walk=full_walk, folder=folder)


KIND = SourceKind(CONVERTED, create_source)
