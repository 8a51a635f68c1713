"""
Clair 2, as a vulnerability source: its lists are read whole at first, and again now and then.

In between it is asked what stands behind the last row that was read of each, and only that is read.
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
from patches.sources.context import CONVERTED, Kind, SourceContext
from patches.sources.fetch.access import Access
from patches.sources.fetch.clients import pooled_client
from patches.sources.fetch.retry import Client, FetchSettings, RetryingClient

#: A page's token lives for an hour; what is on the page is fetched in a quarter of it, so that four lists at once do.
PAGE_SECONDS = 900
#: Tokens of tails live for an hour, too: within half of it they are renewed.
ASK_WITHIN = timedelta(minutes=30)
FULL_WALK = timedelta(days=1)


@frozen
class ClairSettings:
    """
    How to read a Clair.

    :ivar page_size: how many vulnerabilities a page of a list may have.
    :ivar fetch: how hard to try.
    :ivar full_walk: how long after it was read whole a list is read whole again.
    """

    page_size: int = field(default=999, validator=ge(1))
    fetch: FetchSettings = field(factory=FetchSettings)
    full_walk: timedelta = FULL_WALK

    @property
    def paced_page_size(self) -> int:
        """The page size at which a page's token is still valid when the page has been fetched at the given rate."""
        rate = self.fetch.rate
        return self.page_size if rate is None else max(1, min(self.page_size, int(rate * PAGE_SECONDS)))


@implementer(ISource)
class ClairSource:
    """A Clair under a base URL."""

    rank = 1

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
        Prepare; nothing is asked yet.

        :param client: a treq client.
        :param base_url: where ``/v1`` is; a path in it is kept.
        :raises ValueError: if the base URL cannot be one.
        """
        self.name = name
        settings = settings or ClairSettings()
        fetcher = RetryingClient(client, clock, settings.fetch, jitter)
        self.ask_within = min(ASK_WITHIN, settings.full_walk)
        self._api = ClairAPI(check_base_url(base_url), fetcher, settings.paced_page_size)
        self._tails = Tails(self._api, clock, settings.full_walk.total_seconds())
        self._parallel = settings.fetch.parallel

    async def platforms(self) -> list[str]:
        """Tell which platforms have a namespace now, sorted; a namespace that is no platform's is left out."""
        found = (platform_of(namespace) for namespace in await self._api.namespaces())
        return sorted({platform for platform in found if platform is not None})

    async def offers(self) -> list[Offer]:
        """Offer a list of each of these platforms; of one that was read, its tail tells whether it has changed."""
        platforms = await self.platforms()
        await self._tails.renew()
        return [Offer(platform, await self._tails.state_of(platform), platform) for platform in platforms]

    def listing(self, key: str, since: str | None = None) -> ClairListing:
        """Begin to read a platform's list; only its tail, if that is known of the state that is told."""
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
    Make a source that keeps a few connections to its Clair.

    :param rate: requests a second at most; ``None``: as many as Clair answers, four at a time.
    :param access: how it is reached; ``None``: directly.
    :param full_walk: how long after it was read whole a list is read whole again.
    :raises ValueError: if the base URL cannot be one.
    """
    settings = ClairSettings(fetch=FetchSettings(rate=rate), full_walk=full_walk)
    client = pooled_client(reactor, settings.fetch.parallel, settings.fetch.timeout_seconds, access)
    return ClairSource(client, base_url, reactor, settings, name=name)


def create_source(config: SourceConfig, context: SourceContext, wanted: frozenset[str] | None) -> ISource:
    """Create a source of a Clair; which platforms it has, its namespaces tell."""
    access = Access.from_config(config, context.environment)
    full_walk = config.full_walk or FULL_WALK
    return clair_source(context.reactor, config.locations[0], name=config.name, access=access, full_walk=full_walk)


KIND = Kind(CONVERTED, create_source)
