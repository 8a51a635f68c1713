"""
Files had from web servers: asked for only if they have changed, continued where they broke off, whole or not at all.

Theory of operation. What a try asks is told by what is here: a part with a strong validator is continued (``Range``,
``If-Range``); else a file is renewed (``If-None-Match``); else all is asked for. What comes is written to the part and
summed up on its way; the part becomes the file only when the length and every checksum that the server told are right.
What breaks is tried again after a pause, and finds the part here; so does the next process.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from functools import partial

from attrs import frozen
from twisted.internet.interfaces import IReactorTime
from twisted.web.iweb import UNKNOWN_LENGTH, IResponse

from patches.http.headers import header_value
from patches.http.response_body import BodyTooLong
from patches.interfaces import NotThere, Run, SourceError
from patches.sources.feed import FetchedFile
from patches.sources.fetch.body import RunningChecksums, discard_body, write_body
from patches.sources.fetch.cache import CacheEntry, FileCache, FileRecord, PartialFile
from patches.sources.fetch.checksums import Checksum, parse_checksums
from patches.sources.fetch.headers import ContentRange, strong_validator
from patches.sources.fetch.redirects import without_credentials
from patches.sources.fetch.request import RequestSender, raise_failure
from patches.sources.fetch.retry import BROKEN, Client, FetchSettings, RequestTimedOut, TransientFailure, retrying


@frozen
class _Transfer:
    """
    What comes, and what it must come to.

    :ivar sums: of what is here.
    :ivar length: of the whole file; ``None``: it was not told.
    :ivar continued: whether a part was here before.
    """

    sums: RunningChecksums
    length: int | None
    checksums: tuple[Checksum, ...]
    etag: str | None
    last_modified: str | None
    continued: bool


class Downloader:
    """Has the files of URLs here."""

    def __init__(
        self,
        client: Client,
        clock: IReactorTime,
        run: Run,
        files: FileCache,
        headers: Mapping[str, str] | None = None,
        settings: FetchSettings | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """
        Prepare; nothing is asked yet.

        :param client: a treq client that hands bodies on as they are sent, compressed or not.
        :param run: runs what blocks for long.
        :param headers: are sent to the server of a URL, but to no other that it redirects to.
        :param jitter: gives a number in [0, 1), by which pauses are shortened, down to their half.
        """
        self._settings = settings or FetchSettings()
        self._asking = RequestSender(client, clock, headers or {}, self._settings)
        self._clock = clock
        self._run = run
        self._kept = files
        self._jitter = jitter

    async def __call__(self, location: str, /) -> FetchedFile:
        """
        Have the file of a URL here.

        :raises NotThere: if its server says that there is no such file.
        :raises SourceError: if it cannot be had, or not whole.
        """
        try:
            async with self._kept.lock(location):
                entry = self._kept.entry(location)
                self._kept.use((entry.path, entry.partial))  # even if it cannot be had now
                return await retrying(partial(self._attempt, entry), self._settings, self._clock, self._jitter)
        except (SourceError, BodyTooLong) as error:
            kind = NotThere if isinstance(error, NotThere) else SourceError
            raise kind(f"{without_credentials(location)}: {error}") from error
        except OSError as error:
            raise SourceError(f"{without_credentials(location)}: cannot be kept: {error.strerror or error}") from error

    async def _attempt(self, entry: CacheEntry) -> FetchedFile:
        begun = entry.begun()
        if begun is not None:
            return await self._continue(entry, begun)
        record = entry.record()
        response = await self._asking.ask(entry.url, _conditions(record))
        if response.code == 304 and record is not None:
            return FetchedFile(entry.path, record.sha256)
        return await self._begin(entry, response)

    async def _continue(self, entry: CacheEntry, begun: PartialFile) -> FetchedFile:
        """Ask for the rest of a file; it is had anew if it has changed, or its server cannot do that."""
        sums = await self._run(
            RunningChecksums.of_file, entry.partial, [checksum.algorithm for checksum in begun.checksums]
        )
        response = await self._asking.ask(entry.url, {"range": f"bytes={sums.size}-", "if-range": begun.etag})
        if response.code not in (206, 416):
            return await self._begin(entry, response)
        rest = ContentRange.from_headers(response.headers) if response.code == 206 else None
        if rest is None or not _fits(rest, sums.size, begun, header_value(response.headers, "etag")):
            discard_body(response)
            return await self._anew(entry)
        transfer = _Transfer(sums, rest.total, begun.checksums, begun.etag, begun.last_modified, continued=True)
        return await self._receive(entry, response, transfer)

    async def _begin(self, entry: CacheEntry, response: IResponse) -> FetchedFile:
        """Take a file from its first byte on."""
        if response.code != 200:
            self._asking.refuse(response)
        headers = response.headers
        length = None if response.length is UNKNOWN_LENGTH else response.length
        checksums = parse_checksums(headers)
        etag, last_modified = header_value(headers, "etag"), header_value(headers, "last-modified")
        try:
            if length is not None and length > self._settings.max_bytes:
                raise BodyTooLong(f"is {length} bytes long, more than {self._settings.max_bytes}")
            validator = strong_validator(etag)
            entry.begin(PartialFile(entry.url, validator, last_modified, length, checksums) if validator else None)
        except (BodyTooLong, OSError):
            discard_body(response)
            raise
        sums = RunningChecksums.of_nothing(checksum.algorithm for checksum in checksums)
        transfer = _Transfer(sums, length, checksums, etag, last_modified, continued=False)
        return await self._receive(entry, response, transfer)

    async def _anew(self, entry: CacheEntry) -> FetchedFile:
        entry.drop_part()
        return await self._attempt(entry)

    async def _receive(self, entry: CacheEntry, response: IResponse, transfer: _Transfer) -> FetchedFile:
        """Write what comes behind what is here, and make it the file if it is right."""
        sums, most = transfer.sums, self._settings.max_bytes
        try:
            with entry.partial.open("ab") as file:
                whole = await write_body(response, file, sums, most, self._clock, self._settings.timeout_seconds)
        except BodyTooLong:
            entry.drop_part()
            raise
        except (RequestTimedOut, *BROKEN) as error:
            raise_failure(error)
        if transfer.length is not None and sums.size < transfer.length:
            raise TransientFailure(f"it sent {sums.size} of {transfer.length} bytes")
        wrong = _wrong(transfer, whole)
        if wrong is not None and transfer.continued:
            return await self._anew(entry)
        if wrong is not None:
            entry.drop_part()
            raise SourceError(wrong)
        sha256, now = sums.digest("sha256"), self._clock.seconds()
        entry.keep(FileRecord(entry.url, transfer.etag, transfer.last_modified, sums.size, sha256, now))
        return FetchedFile(entry.path, sha256)


def _conditions(record: FileRecord | None) -> dict[str, str]:
    """Give the headers that ask for a file only if it is not the one that is here."""
    validators = {"if-none-match": record.etag, "if-modified-since": record.last_modified} if record else {}
    return {name: value for name, value in validators.items() if value}


def _fits(rest: ContentRange, size: int, begun: PartialFile, etag: str | None) -> bool:
    """Tell whether a rest is that of the part that is here."""
    told = begun.length is None or begun.length == rest.total
    return told and rest.first == size and rest.last == rest.total - 1 and etag in (None, begun.etag)


def _wrong(transfer: _Transfer, whole: bool) -> str | None:
    """
    Say what is wrong with all that came; ``None``: nothing.

    :param whole: whether HTTP told that this is the end.
    """
    if transfer.length is not None and transfer.sums.size != transfer.length:
        return f"it sent {transfer.sums.size} bytes, but said {transfer.length}"
    if not whole and not transfer.checksums:
        return "it closed the connection without having told a length: whether that was all cannot be known"
    for checksum in transfer.checksums:
        if transfer.sums.digest(checksum.algorithm) != checksum.digest:
            return f"what it sent does not have the {checksum.algorithm} checksum that it said"
    return None
