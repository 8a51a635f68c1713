"""
A source whose lists are files: fetched if they have changed, and parsed in a thread, with bounded memory.

A feed consists of a :class:`FeedParser` of its files, and of a number of :class:`FeedPart`: the files of one list each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Protocol

from attrs import frozen
from zope.interface import implementer

from patches.interfaces import IListing, ISource, NotThere, Offer, Run, SourceError
from patches.skipped import UNWANTED
from patches.sources.parse_context import ParseContext
from patches.vulnerability import Vulnerability

_BATCH = 200


@frozen
class FetchedFile:
    """
    A local file, fetched or configured.

    :ivar state: a value that changes when the content of the file changes.
    """

    path: Path
    state: str


class Fetch(Protocol):
    """Fetches a file unless the cached one is current; raises :class:`SourceError`."""

    async def __call__(self, location: str, /) -> FetchedFile: ...


#: Marks files that were fetched as in use; blocks.
Use = Callable[[Iterable[Path]], None]


@frozen
class FeedPart:
    """
    One list of a feed.

    :ivar key: its name within the source.
    :ivar locations: its files, as URLs or paths.
    :ivar platform: the only platform of the list; ``None``: its records name their platforms.
    """

    key: str
    locations: tuple[str, ...]
    platform: str | None = None


class FeedParser(Protocol):
    """Parses the files of a part; blocks, and raises :class:`SourceError`."""

    def __call__(self, part: FeedPart, paths: Sequence[Path], context: ParseContext, /) -> Iterator[Vulnerability]: ...


@implementer(ISource)
class FeedSource:
    """
    A source of files in one format.

    :param rank: see :class:`~patches.interfaces.ISource`.
    :param parts: returns the lists of the wanted platforms; ``None``: of all.
    :param fetch: fetches a file.
    :param run: runs blocking calls.
    :param wanted: the platforms to read; ``None``: all.
    """

    ask_within = None

    def __init__(
        self,
        name: str,
        rank: int,
        parse: FeedParser,
        parts: Callable[[frozenset[str] | None], Sequence[FeedPart]],
        fetch: Fetch,
        run: Run,
        wanted: frozenset[str] | None = None,
    ) -> None:
        self.name = name
        self.rank = rank
        self.wanted = wanted
        self._parse = parse
        self._parts = parts
        self._fetch = fetch
        self._run = run
        self._ready: dict[str, tuple[FeedPart, list[Path] | SourceError]] = {}

    async def offers(self) -> list[Offer]:
        """
        Fetch changed files and return an offer for each part; a part that could not be fetched fails when it is read.
        """
        offers = []
        ready: dict[str, tuple[FeedPart, list[Path] | SourceError]] = {}
        for part in self._parts(self.wanted):
            try:
                files = [await self._fetch(location) for location in part.locations]
            except SourceError as error:
                ready[part.key] = part, error
                offers.append(Offer(part.key, None, part.platform))
            else:
                ready[part.key] = part, [file.path for file in files]
                wanted = () if self.wanted is None else sorted(self.wanted)
                state = " ".join((*(file.state for file in files), *wanted))
                offers.append(Offer(part.key, state, part.platform))
        self._ready = ready
        errors = [had for _, had in ready.values() if isinstance(had, SourceError)]
        # If every part failed, the source itself is unavailable, unless it merely lacks the lists.
        if errors and len(errors) == len(ready) and not all(isinstance(error, NotThere) for error in errors):
            raise errors[0]
        return offers

    def listing(self, key: str, since: str | None = None) -> FeedListing:
        """Return a listing of an offered part, which is always parsed completely."""
        part, had = self._ready[key]
        context = ParseContext(self.name, self.wanted)

        def parse() -> Iterator[Vulnerability]:
            if isinstance(had, SourceError):
                raise had
            return self._parse(part, had, context)

        return FeedListing(parse, context, self._run)


@implementer(IListing)
class FeedListing:
    """One pass over one part, parsed in a thread, a batch at a time."""

    partial = False
    state = None

    def __init__(self, parse: Callable[[], Iterator[Vulnerability]], context: ParseContext, run: Run) -> None:
        self._parse = parse
        self._context = context
        self._run = run

    @property
    def skipped(self) -> Counter[str]:
        """The number of entries skipped so far, by reason."""
        return self._context.skipped

    @property
    def found(self) -> int:
        """The number of entries read so far."""
        return self._context.found

    @property
    def claimed(self) -> int | None:
        """The number of entries that the source announces, or ``None``."""
        return self._context.claimed

    async def __aiter__(self) -> AsyncIterator[Vulnerability]:
        records = self._records()
        try:
            while batch := await self._run(_take, records):
                for vulnerability in batch:
                    yield vulnerability
        finally:
            # An abandoned batch may still run in a thread, and a generator that runs cannot be closed.
            with suppress(ValueError):
                records.close()

    def _records(self) -> Generator[Vulnerability, None, None]:
        is_empty = True
        for vulnerability in self._parse():
            is_empty = False
            yield vulnerability
        if is_empty and self._context.unwanted:
            self._context.skip(UNWANTED, self._context.unwanted)


def _take(records: Iterator[Vulnerability]) -> list[Vulnerability]:
    return list(islice(records, _BATCH))
