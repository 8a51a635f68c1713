"""
One pass over a Clair's list: over all of it, or over the changes since the last pass.

The list is walked page by page, and each vulnerability on it is requested with its packages. A walk either reaches the
last page or raises. A list that changes during the walk is still read completely: changed entries move to its end and
are read again. A few details are requested at a time and yielded in the order of the list; only one page is in memory.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import AsyncIterator, Iterable, Iterator

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from zope.interface import implementer

from patches.errors import ListChanged, SourceError
from patches.interfaces import IListing
from patches.platforms import Platform
from patches.skipped import NO_NAME, SLASH
from patches.sources.clair.api import ClairAPI
from patches.sources.clair.namespaces import namespace_of
from patches.sources.clair.parser import Details, Page, SkippedEntries
from patches.sources.clair.tail import ListPosition, Tail, Tails, digest_of
from patches.sources.ids import bare
from patches.vulnerability import Vulnerability

log = Logger()

#: The highest number of pages of a list: a Clair that sends more is broken.
MAX_PAGES = 10_000
#: Clair never announces a next page after an empty one; a proxy in front of it may, so a few are accepted.
MAX_EMPTY_PAGES = 3

#: The reason to skip an entry that was deleted after it was listed.
GONE = "gone"
_NOTE = "Clair cannot be asked for the packages of a name with a slash"


@implementer(IListing)
class ClairListing:
    """One walk along the list of one namespace."""

    claimed = None

    def __init__(
        self, api: ClairAPI, tails: Tails, platform: Platform, parallel: int, source: str, since: Tail | None = None
    ) -> None:
        """
        Create a listing; no request is sent yet.

        :param tails: receive the end of the list.
        :param parallel: the number of details to request at once.
        :param source: the name of the source in the vulnerabilities.
        :param since: the end of the list at the last pass; ``None``: read the whole list.
        """
        self.partial = since is not None
        self.state: str | None = None
        self.found = 0
        self._api = api
        self._tails = tails
        self._platform = platform
        self._namespace = namespace_of(str(platform))
        self._parallel = parallel
        self._source = source
        self._since = since
        self._left_out = SkippedEntries.of(since.left_out if since is not None else {})
        self._awaited = since.last if since is not None else None
        self._last: tuple[str, bytes] | None = None
        self._begun = False

    @property
    def skipped(self) -> Counter[str]:
        """The number of entries skipped so far, by reason, those of earlier passes included."""
        return self._left_out.counts

    def __aiter__(self) -> AsyncIterator[Vulnerability]:
        if self._begun:
            raise RuntimeError("a listing can be read once only; get another one from the source")
        self._begun = True
        return self._read()

    async def _read(self) -> AsyncIterator[Vulnerability]:
        try:
            async for vulnerability in self._walk():
                yield vulnerability
        except ListChanged:
            if self.partial:
                self._tails.forget(str(self._platform))
            raise

    async def _walk(self) -> AsyncIterator[Vulnerability]:
        place, empty_pages = self._since.place if self._since is not None else None, 0
        for _ in range(MAX_PAGES):
            await self._tails.renew()
            asked = self._tails.seconds()
            page = await self._api.page(self._namespace, place.token if place is not None else None)
            # An entry that changed before this request is fetched below; one that changes later is behind this place.
            end = await self._end(page, place) if page.next_page is None else None
            async for vulnerability in self._fetched(page):
                yield vulnerability
            if page.next_page is None:
                self._finish(page, end)
                return
            empty_pages = 0 if page.names else empty_pages + 1
            if (place is not None and page.next_page == place.token) or empty_pages > MAX_EMPTY_PAGES:
                break
            place = ListPosition(page.next_page, asked)
        raise self._odd(f"Clair has a list of {self._namespace} that does not end")

    async def _end(self, page: Page, place: ListPosition | None) -> ListPosition | None:
        """
        Find the position of the last row of the last page.

        :param place: the position of the page itself, which is returned if its rows have changed: then more is read
            again.
        :return: ``None`` if it cannot be found: the next pass reads the whole list.
        """
        if not page.names:
            return place
        asked = self._tails.seconds()
        try:
            but_one = await self._api.page(
                self._namespace, place.token if place is not None else None, limit=len(page.names) - 1
            )
        except SourceError as error:
            log.info("The end of the list of {namespace} is unknown: {error}", namespace=self._namespace, error=error)
            return None
        if but_one.names != page.names[:-1] or but_one.next_page is None:
            return place
        return ListPosition(but_one.next_page, asked)

    def _finish(self, page: Page, end: ListPosition | None) -> None:
        """
        Record the end of the list.

        :raises ListChanged: if the last row of the previous pass is no longer in the list: something was deleted.
        """
        if self._awaited is not None:
            raise ListChanged(f"{self._awaited[:128]!r} is gone from the list of {self._namespace}")
        tail = None
        if end is not None and self._left_out.is_known:
            self.state = self._tails.new_state()
            last = page.names[-1] if page.names else None
            digest = self._last[1] if self._last is not None and self._last[0] == last else None
            tail = Tail(self.state, end, last, digest, self._left_out.reasons)
        self._tails.keep(str(self._platform), tail, not self.partial)

    async def _fetched(self, page: Page) -> AsyncIterator[Vulnerability]:
        """
        Yield the vulnerabilities on a page in its order, then those that cannot be requested; a few requests are sent
        ahead.
        """
        names = self._fetchable(page.names)
        under_way: deque[tuple[str, Deferred[Details | None]]] = deque()
        try:
            while self._ask(names, under_way) or under_way:
                name, asked = under_way.popleft()
                details = await asked
                if details is None:
                    self._miss(name)
                    continue
                self._left_out.note(name, details.left_out)
                if name == page.names[-1]:
                    self._last = name, digest_of(details)
                for each in bare(evolve(details.vulnerability, source=self._source)):
                    yield each
            for name in filter(_has_slash, page.names):
                for each in bare(Vulnerability(name, str(self._platform), source=self._source, note=_NOTE)):
                    yield each
        finally:
            # The consumer stopped early, or a request failed: cancel the others and drop their errors.
            for _, asked in under_way:
                asked.addErrback(lambda failure: None)
                asked.cancel()

    def _ask(self, names: Iterator[str], under_way: deque[tuple[str, Deferred[Details | None]]]) -> bool:
        """Send as many requests as may be in progress. Return whether any was sent."""
        before = len(under_way)
        while len(under_way) < self._parallel and (name := next(names, None)) is not None:
            details = Deferred.fromCoroutine(self._api.details(self._namespace, name, self._platform))
            under_way.append((name, details))
        return len(under_way) > before

    def _fetchable(self, names: Iterable[str]) -> Iterator[str]:
        """
        Yield the names that can be requested, and skip the others: a slash cannot be sent in a path, even if encoded.
        """
        for name in names:
            self.found += 1
            if name == self._awaited:
                self._awaited = None
            if name and not _has_slash(name):
                yield name
            else:
                self._left_out.note(name, (SLASH if name else NO_NAME,))

    def _miss(self, name: str) -> None:
        """
        Skip an entry that was deleted after it was listed.

        :raises ListChanged: if this pass is partial: the entry may be among those read before.
        """
        if self.partial:
            raise ListChanged(f"{name[:128]!r} is gone from the list of {self._namespace}")
        self._left_out.note(name, (GONE,))

    def _odd(self, message: str) -> SourceError:
        """Return the error that ends the pass; after a partial one the whole list is read."""
        return ListChanged(message) if self.partial else SourceError(message)


def _has_slash(name: str) -> bool:
    return "/" in name
