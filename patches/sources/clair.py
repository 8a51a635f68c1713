"""
Clair 2, as a vulnerability source: a list is walked page by page, and each vulnerability on it asked for its packages.

A walk either reaches the last page or raises. A list that changes under it is still read whole: what is changed comes
again at the end. Details are asked for a few at a time and handed on in the order of the list; one page is held, never
more.
"""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any

from attrs import evolve, field, frozen
from attrs.validators import ge
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from patches.interfaces import IListing, ISource, Offer, SourceError
from patches.platforms import Platform
from patches.sources.access import Access
from patches.sources.clair_api import ClairAPI, check_base_url
from patches.sources.clair_documents import Details, Page
from patches.sources.connections import pooled_client
from patches.sources.fetching import Client, Fetcher, FetchSettings
from patches.sources.namespaces import namespace_of, platform_of
from patches.vulnerability import Vulnerability

#: A page's token lives for an hour; what is on the page is fetched in a quarter of it, so that four lists at once do.
PAGE_SECONDS = 900
#: No list is longer than this many pages: a Clair that goes on and on is broken.
MAX_PAGES = 10_000
#: Clair never says that there is more when it gave nothing; a little patience with what may stand in front of it.
MAX_EMPTY_PAGES = 3

#: Reasons for which an entry of a list is left out.
SLASH = "name with a slash"
NAMELESS = "no name"
GONE = "gone"


@frozen
class ClairSettings:
    """
    How to read a Clair.

    :ivar page_size: how many vulnerabilities a page of a list may have.
    :ivar fetch: how hard to try.
    """

    page_size: int = field(default=999, validator=ge(1))
    fetch: FetchSettings = field(factory=FetchSettings)

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
        fetcher = Fetcher(client, clock, settings.fetch, jitter)
        self._api = ClairAPI(check_base_url(base_url), fetcher, settings.paced_page_size)
        self._parallel = settings.fetch.parallel

    async def platforms(self) -> list[str]:
        """Tell which platforms have a namespace now, sorted; a namespace that is no platform's is left out."""
        found = (platform_of(namespace) for namespace in await self._api.namespaces())
        return sorted({platform for platform in found if platform is not None})

    async def offers(self) -> list[Offer]:
        """Offer a list of each of these platforms; Clair has no way to tell whether it has changed."""
        return [Offer(platform, platform=platform) for platform in await self.platforms()]

    def listing(self, key: str) -> ClairListing:
        """Begin to read a platform's list."""
        return ClairListing(self._api, Platform.from_name(key), self._parallel, self.name)


@implementer(IListing)
class ClairListing:
    """One walk along the list of one namespace."""

    def __init__(self, api: ClairAPI, platform: Platform, parallel: int, source: str) -> None:
        """
        Prepare; nothing is asked yet.

        :param parallel: how many details to ask for at once.
        :param source: what the vulnerabilities carry as their source.
        """
        self.skipped: Counter[str] = Counter()
        self.claimed = None
        self.found = 0
        self._api = api
        self._platform = platform
        self._namespace = namespace_of(str(platform))
        self._parallel = parallel
        self._source = source
        self._begun = False

    def __aiter__(self) -> AsyncIterator[Vulnerability]:
        if self._begun:
            raise RuntimeError("a listing is read once; ask the source for another")
        self._begun = True
        return self._walk()

    async def _walk(self) -> AsyncIterator[Vulnerability]:
        token, empty_pages = None, 0
        for _ in range(MAX_PAGES):
            page = await self._api.page(self._namespace, token)
            async for vulnerability in self._fetched(page):
                yield vulnerability
            if page.next_page is None:
                return
            empty_pages = 0 if page.names else empty_pages + 1
            if page.next_page == token or empty_pages > MAX_EMPTY_PAGES:
                break
            token = page.next_page
        raise SourceError(f"Clair has a list of {self._namespace} that does not end")

    async def _fetched(self, page: Page) -> AsyncIterator[Vulnerability]:
        """Give the vulnerabilities on a page, in its order, a few requests ahead of whoever takes them."""
        names = self._fetchable(page.names)
        under_way: deque[Deferred[Details | None]] = deque()
        try:
            while self._ask(names, under_way) or under_way:
                details = await under_way.popleft()
                if details is None:
                    self.skipped[GONE] += 1
                else:
                    self.skipped.update(details.left_out)
                    yield evolve(details.vulnerability, source=self._source)
        finally:
            for asked in under_way:
                asked.addErrback(lambda failure: None)
                asked.cancel()

    def _ask(self, names: Iterator[str], under_way: deque[Deferred[Details | None]]) -> bool:
        """Ask for as many as there may be under way; tell whether any was asked for."""
        before = len(under_way)
        while len(under_way) < self._parallel and (name := next(names, None)) is not None:
            under_way.append(Deferred.fromCoroutine(self._api.details(self._namespace, name, self._platform)))
        return len(under_way) > before

    def _fetchable(self, names: Iterable[str]) -> Iterator[str]:
        """Leave out the names that Clair cannot be asked for, however they are encoded."""
        for name in names:
            self.found += 1
            if name and "/" not in name:
                yield name
            else:
                self.skipped[SLASH if name else NAMELESS] += 1


def clair_source(
    reactor: Any, base_url: str, rate: float | None = None, name: str = "clair", access: Access | None = None
) -> ClairSource:
    """
    Make a source that keeps a few connections to its Clair.

    :param rate: requests a second at most; ``None``: as many as Clair answers, four at a time.
    :param access: how it is reached; ``None``: directly.
    :raises ValueError: if the base URL cannot be one.
    """
    settings = ClairSettings(fetch=FetchSettings(rate=rate))
    client = pooled_client(reactor, settings.fetch.parallel, settings.fetch.timeout_seconds, access)
    return ClairSource(client, base_url, reactor, settings, name=name)
