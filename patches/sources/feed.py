"""
A source whose lists are files: fetched if they have changed, and parsed with bounded memory, usually in a worker.

A feed consists of a :class:`~patches.sources.parse_job.ListParser` of its files, named by its kind, and of a number of
:class:`~patches.sources.parse_job.FeedPart`: the files of one list each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from attrs import frozen
from zope.interface import implementer

from patches.errors import NotThere, SourceError
from patches.interfaces import IListing, ISource, Offer, RecordKey, Run
from patches.sources.ecosystem_config import EcosystemConfig
from patches.sources.parse_context import ParseContext
from patches.sources.parse_job import FeedPart, ParseJob
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


class Parsing(Protocol):
    """
    A way to parse lists: in this process, or in a worker.

    :ivar worker_bytes: the memory of a worker, which must be granted before :meth:`parse` is called; 0: no worker.
    """

    worker_bytes: int

    def parse(self, job: ParseJob, context: ParseContext, /) -> Awaitable[Iterator[Vulnerability]]:
        """
        Parse a list.

        :param context: its counts are complete when the iterator ends.
        :return: the records; the iterator blocks.
        :raises SourceError: if the list cannot be parsed; the iterator may raise it, too.
        """

    def rest(self, source: str, /) -> None:
        """End the worker of a source, if it has one."""


@frozen
class FeedFiles:
    """
    The files of a feed.

    :ivar parts: returns the lists of the wanted platforms; ``None``: of all.
    :ivar fetch: fetches a file.
    """

    parts: Callable[[frozenset[str] | None], Sequence[FeedPart]]
    fetch: Fetch


@frozen
class FeedFormat:
    """
    The format of a feed.

    :ivar kind: its name in the registry.
    :ivar scratch: the path of its scratch file.
    :ivar ecosystems: OSV: the ecosystems that are configured, besides those in the table.
    :ivar enriches: see :class:`~patches.interfaces.ISource`.
    """

    kind: str
    scratch: Path
    ecosystems: tuple[EcosystemConfig, ...] = ()
    enriches: str | None = None


@implementer(ISource)
class FeedSource:
    """
    A source of files in one format.

    :param rank: see :class:`~patches.interfaces.ISource`.
    :param run: runs blocking calls.
    :param wanted: the platforms to read; ``None``: all.
    """

    ask_within = None

    def __init__(
        self,
        name: str,
        rank: int,
        files: FeedFiles,
        form: FeedFormat,
        parsing: Parsing,
        run: Run,
        wanted: frozenset[str] | None = None,
    ) -> None:
        self.name = name
        self.rank = rank
        self.wanted = wanted
        self._files = files
        self._form = form
        self._parsing = parsing
        self._run = run
        self._ready: dict[str, tuple[FeedPart, list[Path] | SourceError]] = {}

    lists_at_once = 1
    left_out: Mapping[str, str] = MappingProxyType({})

    @property
    def enriches(self) -> str | None:
        """The facts that its records add to those of other sources, ``kev``; ``None``: it has lists of platforms."""
        return self._form.enriches

    @property
    def worker_bytes(self) -> int:
        """The memory of the worker that parses the lists."""
        return self._parsing.worker_bytes

    def rest(self) -> None:
        """End the worker."""
        self._parsing.rest(self.name)

    async def offers(self) -> list[Offer]:
        """
        Fetch changed files and return an offer for each part; a part that could not be fetched fails when it is read.
        """
        offers = []
        ready: dict[str, tuple[FeedPart, list[Path] | SourceError]] = {}
        for part in self._files.parts(self.wanted):
            try:
                files = [await self._files.fetch(location) for location in part.locations]
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

        async def parse() -> Iterator[Vulnerability]:
            if isinstance(had, SourceError):
                raise had
            return await self._parsing.parse(self._job(part, had), context)

        return FeedListing(parse, context, self._run)

    def _job(self, part: FeedPart, paths: Sequence[Path]) -> ParseJob:
        form = self._form
        return ParseJob(form.kind, self.name, part, tuple(paths), form.scratch, self.wanted, form.ecosystems)


@implementer(IListing)
class FeedListing:
    """
    One pass over one part, consumed in a thread, a batch at a time.

    :param parse: returns the records; called once.
    """

    partial = False
    state = None

    def __init__(
        self, parse: Callable[[], Awaitable[Iterator[Vulnerability]]], context: ParseContext, run: Run
    ) -> None:
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

    gone: frozenset[RecordKey] = frozenset()
    is_growing = False

    @property
    def claimed(self) -> int | None:
        """The number of entries that the source announces, or ``None``."""
        return self._context.claimed

    async def __aiter__(self) -> AsyncIterator[Vulnerability]:
        records = await self._parse()
        try:
            while batch := await self._run(_take, records):
                for vulnerability in batch:
                    yield vulnerability
        finally:
            # An abandoned batch may still run in a thread, and a generator that runs cannot be closed.
            with suppress(ValueError, AttributeError):
                records.close()  # type: ignore[attr-defined]  # an iterator need not be a generator


def _take(records: Iterator[Vulnerability]) -> list[Vulnerability]:
    return list(islice(records, _BATCH))
