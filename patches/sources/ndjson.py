"""
Complete lists in our own wire form, from a file: one vulnerability a line, of one platform or several.

It is what ``patches demo`` serves, and a way to serve lists that were made by other means.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from zope.interface import implementer

from patches.interfaces import IListing, ISource, PlatformNotListed, SourceError
from patches.vulnerability import Vulnerability
from patches.wire import MalformedWire, decode_lines

#: So many lines are read before others get their turn.
_TURN = 200


@implementer(ISource)
class NdjsonSource:
    """
    A file of vulnerabilities in wire form.

    :param path: the file; read anew for each listing.
    :param clock: gives others their turn during a long file.
    """

    def __init__(self, path: Path, clock: IReactorTime, name: str = "ndjson") -> None:
        self.name = name
        self._path = path
        self._clock = clock

    async def platforms(self) -> list[str]:
        """Tell which platforms the file has lists of."""
        return sorted({vulnerability.platform async for vulnerability in self._read()})

    def listing(self, platform: str) -> NdjsonListing:
        """Begin to read the list of a platform."""
        return NdjsonListing(self._read(), platform)

    async def _read(self) -> AsyncIterator[Vulnerability]:
        for number, vulnerability in enumerate(_parse(self._path)):
            if number % _TURN == 0:
                await deferLater(self._clock, 0)
            yield vulnerability


@implementer(IListing)
class NdjsonListing:
    """One reading of one platform's list."""

    def __init__(self, records: AsyncIterator[Vulnerability], platform: str) -> None:
        self.skipped: Counter[str] = Counter()
        self._records = records
        self._platform = platform

    async def __aiter__(self) -> AsyncIterator[Vulnerability]:
        empty = True
        async for vulnerability in self._records:
            if vulnerability.platform == self._platform:
                empty = False
                yield vulnerability
        if empty:
            raise PlatformNotListed(f"the file has no list of {self._platform}")


def _parse(path: Path) -> Iterator[Vulnerability]:
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                yield from _parse_line(path, number, line)
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}") from error


def _parse_line(path: Path, number: int, line: bytes) -> Iterator[Vulnerability]:
    try:
        yield from decode_lines(line)
    except MalformedWire as error:
        raise SourceError(f"{path}:{number}: {error}") from error
