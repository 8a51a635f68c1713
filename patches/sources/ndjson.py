"""
A source of complete lists in the wire format, from files: one vulnerability per line, of one or several platforms.

``patches demo`` serves such a file, and lists that other programs produce can be served from one: with ``--list``, or
as a configured source.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

from attrs import evolve
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from zope.interface import implementer

from patches.interfaces import IListing, ISource, Offer, SourceError
from patches.sources.archive.decompress import open_feed
from patches.sources.config import SourceConfig
from patches.sources.context import VENDOR, SourceContext, SourceKind
from patches.sources.feed import FeedPart
from patches.sources.feed_config import feed_source, parts_of
from patches.sources.fields import is_name
from patches.sources.ids import bare
from patches.sources.parse_context import ParseContext
from patches.vulnerability import FOLLOWED, Vulnerability
from patches.wire import MalformedWire, decode_lines

#: The number of lines after which the reactor gets a turn.
_TURN = 200


@implementer(ISource)
class NdjsonSource:
    """
    A file of vulnerabilities in the wire format, which may be compressed.

    :param path: the file; read again for each listing.
    :param clock: gives other events a turn while a long file is read.
    """

    rank = 0
    ask_within = None

    def __init__(self, path: Path, clock: IReactorTime, name: str = "ndjson") -> None:
        self.name = name
        self._path = path
        self._clock = clock

    async def offers(self) -> list[Offer]:
        """Return an offer of the file; its modification time and length show whether it has changed."""
        try:
            facts = self._path.stat()
        except OSError as error:
            raise SourceError(f"{self._path}: {error.strerror}") from error
        return [Offer(self._path.name, f"{facts.st_ino} {facts.st_size} {facts.st_mtime_ns}")]

    def listing(self, key: str, since: str | None = None) -> NdjsonListing:
        """Return a listing of the file, which is always read completely."""
        return NdjsonListing(self._path, self._clock)


@implementer(IListing)
class NdjsonListing:
    """One pass over the file."""

    partial = False
    state = None

    def __init__(self, path: Path, clock: IReactorTime) -> None:
        self.skipped: Counter[str] = Counter()
        self.claimed = None
        self.found = 0
        self._path = path
        self._clock = clock

    async def __aiter__(self) -> AsyncIterator[Vulnerability]:
        for number, vulnerability in enumerate(_parse(self._path)):
            if number % _TURN == 0:
                await deferLater(self._clock, 0)
            self.found += vulnerability.name != FOLLOWED
            for each in bare(vulnerability):
                yield each


def _parse(path: Path) -> Iterator[Vulnerability]:
    try:
        with open_feed(path) as file:
            for number, line in enumerate(file, start=1):
                yield from _parse_line(path, number, line)
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}") from error


def _parse_line(path: Path | str, number: int, line: bytes) -> Iterator[Vulnerability]:
    try:
        found = list(decode_lines(line))
    except MalformedWire as error:
        raise SourceError(f"{path}:{number}: {error}") from error
    names = (package.name for vulnerability in found for package in vulnerability.fixed_in)
    wrong = next((name for name in names if not is_name(name)), None)
    if wrong is not None:
        raise SourceError(f"{path}:{number}: {wrong[:40]!a} is not the name of a package")
    yield from found


def _parse_files(part: FeedPart, paths: Sequence[Path], context: ParseContext) -> Iterator[Vulnerability]:
    """Parse configured files, which may be compressed."""
    for path in paths:
        with open_feed(path) as stream:
            for number, line in enumerate(stream, start=1):
                for vulnerability in _parse_line(part.key, number, line):
                    context.found += vulnerability.name != FOLLOWED
                    if context.wants(vulnerability.platform):
                        yield from bare(evolve(vulnerability, source=vulnerability.source or context.source))


def create_source(config: SourceConfig, context: SourceContext, wanted: frozenset[str] | None) -> ISource:
    """Create a source of files in the wire format, each a list; those at URLs are fetched if they have changed."""
    parts = parts_of(config.locations)
    return feed_source(config, context, wanted, _parse_files, lambda wanted: parts)


KIND = SourceKind(VENDOR, create_source)
