"""
One reading of a Clair's list: along all of it, or along what was changed since it was read last.

It is walked page by page, and each vulnerability on it asked for its packages. A walk either reaches the last page or
raises. A list that changes under it is still read whole: what is changed comes again at the end. Details are asked for
a few at a time and handed on in the order of the list; one page is held, never more.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import AsyncIterator, Iterable, Iterator

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from zope.interface import implementer

from patches.interfaces import IListing, ListChanged, SourceError
from patches.platforms import Platform
from patches.sources.clair.api import ClairAPI
from patches.sources.clair.namespaces import namespace_of
from patches.sources.clair.parser import Details, Page, SkippedEntries
from patches.sources.clair.tail import ListPosition, Tail, Tails, digest_of
from patches.vulnerability import Vulnerability

log = Logger()

#: No list is longer than this many pages: a Clair that goes on and on is broken.
MAX_PAGES = 10_000
#: Clair never says that there is more when it gave nothing; a little patience with what may stand in front of it.
MAX_EMPTY_PAGES = 3

#: Reasons for which an entry of a list is left out.
SLASH = "name with a slash"
NAMELESS = "no name"
GONE = "gone"


@implementer(IListing)
class ClairListing:
    """One walk along the list of one namespace."""

    claimed = None

    def __init__(
        self, api: ClairAPI, tails: Tails, platform: Platform, parallel: int, source: str, since: Tail | None = None
    ) -> None:
        """
        Prepare; nothing is asked yet.

        :param tails: are told where the list ends.
        :param parallel: how many details to ask for at once.
        :param source: what the vulnerabilities carry as their source.
        :param since: where the list ended when it was read last; ``None``: it is read whole.
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
        """How many entries were left out so far, by reason; of what was read before, too."""
        return self._left_out.counts

    def __aiter__(self) -> AsyncIterator[Vulnerability]:
        if self._begun:
            raise RuntimeError("a listing is read once; ask the source for another")
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
            # What is changed before this place is told is fetched below; what is changed later stands behind it.
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
        Find the place of the last row of the last page.

        :param place: of the page itself, which will do if its rows are not the same any more: more will come again.
        :return: ``None`` if it cannot be found: the list is read whole the next time.
        """
        if not page.names:
            return place
        asked = self._tails.seconds()
        try:
            but_one = await self._api.page(
                self._namespace, place.token if place is not None else None, limit=len(page.names) - 1
            )
        except SourceError as error:
            log.info("The end of the list of {namespace} is not known: {error}", namespace=self._namespace, error=error)
            return None
        if but_one.names != page.names[:-1] or but_one.next_page is None:
            return place
        return ListPosition(but_one.next_page, asked)

    def _finish(self, page: Page, end: ListPosition | None) -> None:
        """
        Tell where the list ended.

        :raises ListChanged: if the row is not there any more at which it ended before: something was deleted.
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
        """Give the vulnerabilities on a page, in its order, a few requests ahead of whoever takes them."""
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
                yield evolve(details.vulnerability, source=self._source)
        finally:
            for _, asked in under_way:
                asked.addErrback(lambda failure: None)
                asked.cancel()

    def _ask(self, names: Iterator[str], under_way: deque[tuple[str, Deferred[Details | None]]]) -> bool:
        """Ask for as many as there may be under way; tell whether any was asked for."""
        before = len(under_way)
        while len(under_way) < self._parallel and (name := next(names, None)) is not None:
            details = Deferred.fromCoroutine(self._api.details(self._namespace, name, self._platform))
            under_way.append((name, details))
        return len(under_way) > before

    def _fetchable(self, names: Iterable[str]) -> Iterator[str]:
        """Leave out the names that Clair cannot be asked for, however they are encoded."""
        for name in names:
            self.found += 1
            if name == self._awaited:
                self._awaited = None
            if name and "/" not in name:
                yield name
            else:
                self._left_out.note(name, (SLASH if name else NAMELESS,))

    def _miss(self, name: str) -> None:
        """
        Note that what was listed is gone.

        :raises ListChanged: if the list was read before: it may be in what was read then.
        """
        if self.partial:
            raise ListChanged(f"{name[:128]!r} is gone from the list of {self._namespace}")
        self._left_out.note(name, (GONE,))

    def _odd(self, message: str) -> SourceError:
        """Make what a list is given up for; if it was read before, it is read whole instead."""
        return ListChanged(message) if self.partial else SourceError(message)
