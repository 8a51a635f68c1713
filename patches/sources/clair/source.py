"""
Clair 2 as a vulnerability source: its lists are read completely at first, and again at intervals.

In between, Clair is asked for the entries behind the last row of each list, and only these are read.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from attrs import field, frozen
from attrs.validators import ge
from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from patches.interfaces import ISource, Offer
from patches.platforms import Platform
from patches.sources.clair.api import ClairAPI, check_base_url
from patches.sources.clair.listing import ClairListing
from patches.sources.clair.namespaces import platform_of
from patches.sources.clair.tail import Tails
from patches.sources.config import SourceConfig
from patches.sources.context import CONVERTED, SourceContext, SourceKind
from patches.sources.feed_config import one_location
from patches.sources.fetch.access import Access
from patches.sources.fetch.clients import pooled_client
from patches.sources.fetch.retry import Client, FetchSettings, RetryingClient

#: A page's token is valid for an hour; a page is fetched in a quarter of that, so that four lists can be read at once.
PAGE_SECONDS = 900
#: Tokens of tails are valid for an hour too: they are renewed after half of it at the latest.
ASK_WITHIN = timedelta(minutes=30)
FULL_WALK = timedelta(days=1)


@frozen
class ClairSettings:
    """
    The settings with which a Clair is read.

    :ivar page_size: the highest number of vulnerabilities on a page of a list.
    :ivar fetch: the limits of requests.
    :ivar full_walk: the time after which a list is read completely again.
    """

    page_size: int = field(default=500, validator=ge(1))
    fetch: FetchSettings = field(factory=FetchSettings)
    full_walk: timedelta = FULL_WALK

    @property
    def paced_page_size(self) -> int:
        """The page size that can be fetched at the given rate while the page's token is valid."""
        rate = self.fetch.rate
        return self.page_size if rate is None else max(1, min(self.page_size, int(rate * PAGE_SECONDS)))


@implementer(ISource)
class ClairSource:
    """A Clair under a base URL."""

    rank = 1
    worker_bytes = 0

    def __init__(
        self,
        client: Client,
        base_url: str,
        clock: IReactorTime,
        settings: ClairSettings | None = None,
        jitter: Callable[[], float] = random.random,
        name: str = "clair",
    ) -> None:
        """
        Create a source; no request is sent yet.

        :param client: a treq client.
        :param base_url: the URL above ``/v1``; it may contain a path.
        :raises ValueError: if the base URL is not valid.
        """
        self.name = name
        settings = settings or ClairSettings()
        fetcher = RetryingClient(client, clock, settings.fetch, jitter)
        self.ask_within = min(ASK_WITHIN, settings.full_walk)
        self._api = ClairAPI(check_base_url(base_url), fetcher, settings.paced_page_size)
        self._tails = Tails(self._api, clock, settings.full_walk.total_seconds())
        self._parallel = settings.fetch.parallel

    def rest(self) -> None:
        """See :class:`~patches.interfaces.ISource`: there is no worker."""

    async def platforms(self) -> list[str]:
        """Return the platforms that have a namespace now, sorted; a namespace without a platform is ignored."""
        found = (platform_of(namespace) for namespace in await self._api.namespaces())
        return sorted({platform for platform in found if platform is not None})

    async def offers(self) -> list[Offer]:
        """Return an offer for each platform; the tail of a list that was read shows whether it has changed."""
        platforms = await self.platforms()
        await self._tails.renew()
        return [Offer(platform, await self._tails.state_of(platform), platform) for platform in platforms]

    def listing(self, key: str, since: str | None = None) -> ClairListing:
        """Return a listing of a platform's list, or of its tail only if the tail of the given state is known."""
        platform, tail = Platform.from_name(key), self._tails.at(key, since)
        return ClairListing(self._api, self._tails, platform, self._parallel, self.name, tail)


def clair_source(
    reactor: Any,
    base_url: str,
    rate: float | None = None,
    name: str = "clair",
    access: Access | None = None,
    full_walk: timedelta = FULL_WALK,
) -> ClairSource:
    """
    Create a source that keeps a few connections to its Clair.

    :param rate: the highest number of requests per second; ``None``: no limit, with four in progress at a time.
    :param access: the proxies, certificates and headers to use; ``None``: a direct connection.
    :param full_walk: the time after which a list is read completely again.
    :raises ValueError: if the base URL is not valid.
    """
    settings = ClairSettings(fetch=FetchSettings(rate=rate), full_walk=full_walk)
    client = pooled_client(reactor, settings.fetch.parallel, settings.fetch.timeout_seconds, access)
    return ClairSource(client, base_url, reactor, settings, name=name)


def create_source(config: SourceConfig, context: SourceContext, wanted: frozenset[str] | None) -> ISource:
    """
    Create a source of a Clair; its platforms are those of its namespaces.

    :raises BadSetting: if several locations are configured.
    """
    location = one_location(config)
    access = Access.from_config(config, context.environment)
    full_walk = config.full_walk or FULL_WALK
    return clair_source(context.reactor, location, name=config.name, access=access, full_walk=full_walk)


KIND = SourceKind(CONVERTED, create_source)
