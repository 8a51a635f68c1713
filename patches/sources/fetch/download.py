"""
Downloads of files from web servers: conditional, resumed after a failure, complete or absent.

Theory of operation. The files in the cache decide the request: a partial file with a strong validator is resumed
(``Range``, ``If-Range``); otherwise a cached file is revalidated (``If-None-Match``); otherwise the whole file is
requested. The body is written to the partial file, and its checksums are computed on the way; the partial file becomes
the file only when its length and every checksum that the server announced are right. A broken transfer is tried again
after a pause and resumes the partial file; so does the next process.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from functools import partial

from attrs import frozen
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.web.iweb import UNKNOWN_LENGTH, IResponse

from patches.errors import AccessRefused, NotThere, SourceError
from patches.http.headers import header_value
from patches.http.response_body import BodyTooLong
from patches.interfaces import Run
from patches.sources.feed import FetchedFile
from patches.sources.fetch.body import RunningChecksums, discard_body, write_body
from patches.sources.fetch.cache import Arrival, CacheEntry, FileCache, FileRecord, PartialFile
from patches.sources.fetch.checksums import Checksum, etag_checksum, parse_checksums
from patches.sources.fetch.headers import ContentRange, strong_validator
from patches.sources.fetch.redirects import without_credentials
from patches.sources.fetch.request import RequestSender
from patches.sources.fetch.retry import (
    BROKEN,
    Client,
    FetchSettings,
    RequestTimedOut,
    TransientFailure,
    raise_failure,
    retrying,
)

log = Logger()


@frozen
class _Transfer:
    """
    The state of one transfer, and the length and checksums that its result must have.

    :ivar sums: the checksums of the bytes received so far.
    :ivar length: of the whole file; ``None``: not announced.
    :ivar continued: whether it resumes a partial file.
    """

    sums: RunningChecksums
    length: int | None
    checksums: tuple[Checksum, ...]
    etag: str | None
    last_modified: str | None
    continued: bool


class Downloader:
    """Downloads the files of URLs into the cache."""

    def __init__(
        self,
        client: Client,
        clock: IReactorTime,
        run: Run,
        files: FileCache,
        headers: Mapping[str, str] | None = None,
        settings: FetchSettings | None = None,
        jitter: Callable[[], float] = random.random,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """
        Create a downloader; no request is sent yet.

        :param client: a treq client that returns bodies as they are sent, compressed or not.
        :param run: runs calls that block for long.
        :param headers: sent to the server of a URL, but not to another server that it redirects to.
        :param jitter: returns a number in [0, 1) that shortens pauses, down to their half.
        :param wall: returns the time in seconds since the epoch.
        """
        self._settings = settings or FetchSettings()
        self._asking = RequestSender(client, clock, headers or {}, self._settings, wall)
        self._clock = clock
        self._run = run
        self._files = files
        self._jitter = jitter
        self._wall = wall

    async def __call__(self, location: str, /) -> FetchedFile:
        """
        Download the file of a URL, unless the cached file is current.

        :raises NotThere: if the server has no such file.
        :raises SourceError: if it cannot be downloaded completely.
        """
        try:
            async with self._files.lock(location):
                entry = self._files.entry(location)
                # Before the request: a file is in use even if it cannot be downloaded now.
                self._files.use((entry.path, entry.partial))
                attempt = partial(self._attempt, entry)
                try:
                    return await retrying(location, attempt, self._settings, self._clock, self._jitter)
                finally:  # what was written has the time of day, by which no file grows old
                    self._files.use((entry.path, entry.partial))
        except (SourceError, BodyTooLong) as error:
            kind = type(error) if isinstance(error, (NotThere, AccessRefused)) else SourceError
            raise kind(f"{without_credentials(location)}: {error}") from error
        except OSError as error:
            raise SourceError(
                f"{without_credentials(location)}: cannot be stored: {error.strerror or error}"
            ) from error

    async def _attempt(self, entry: CacheEntry) -> FetchedFile:
        begun = entry.begun()
        if begun is not None:
            return await self._continue(entry, begun)
        record = entry.record()
        response = await self._asking.ask(entry.url, _conditions(record))
        if response.code == 304 and record is not None:
            sums = await self._run(RunningChecksums.of_file, entry.path, [])
            if sums.digest("sha256") == record.sha256:
                return FetchedFile(entry.path, record.sha256)
            log.error(
                "{url}: its file in the cache is damaged, and is fetched again", url=without_credentials(entry.url)
            )
            response = await self._asking.ask(entry.url, {})
        return await self._begin(entry, response)

    async def _continue(self, entry: CacheEntry, begun: PartialFile) -> FetchedFile:
        """Request the rest of a file; it is downloaded again if it changed, or if its server cannot resume."""
        sums = await self._run(
            RunningChecksums.of_file, entry.partial, [checksum.algorithm for checksum in begun.checksums]
        )
        response = await self._asking.ask(entry.url, {"range": f"bytes={sums.size}-", "if-range": begun.etag})
        if response.code not in (206, 416):
            return await self._begin(entry, response)
        rest = ContentRange.from_headers(response.headers) if response.code == 206 else None
        if rest is None or not _fits(rest, sums.size, begun, header_value(response.headers, "etag")):
            discard_body(response)
            return await self._restart(entry)
        transfer = _Transfer(sums, rest.total, begun.checksums, begun.etag, begun.last_modified, continued=True)
        return await self._receive(entry, response, transfer)

    async def _begin(self, entry: CacheEntry, response: IResponse) -> FetchedFile:
        """Download a file from its first byte."""
        if response.code != 200:
            self._asking.refuse(response)
        headers = response.headers
        length = None if response.length is UNKNOWN_LENGTH else response.length
        checksums = parse_checksums(headers)
        before, tagged = entry.record(), etag_checksum(headers)
        if before is not None and before.etag_is_md5 and tagged is not None:
            checksums = tuple(dict.fromkeys((*checksums, tagged)))
        etag, last_modified = header_value(headers, "etag"), header_value(headers, "last-modified")
        try:
            if length is not None and length > self._settings.max_bytes:
                raise BodyTooLong(f"is {length} bytes long, more than {self._settings.max_bytes}")
            validator = strong_validator(etag)
            entry.begin(PartialFile(entry.url, validator, last_modified, length, checksums) if validator else None)
        except (BodyTooLong, OSError):
            discard_body(response)
            raise
        wanted = checksums if tagged is None else (*checksums, tagged)
        sums = RunningChecksums.of_nothing(checksum.algorithm for checksum in wanted)
        transfer = _Transfer(sums, length, checksums, etag, last_modified, continued=False)
        return await self._receive(entry, response, transfer)

    async def _restart(self, entry: CacheEntry) -> FetchedFile:
        entry.drop_part()
        return await self._attempt(entry)

    async def _receive(self, entry: CacheEntry, response: IResponse, transfer: _Transfer) -> FetchedFile:
        """Append the body to the partial file, and turn that into the file if it is complete and right."""
        sums, most = transfer.sums, self._settings.max_bytes
        self._files.arriving[entry.url] = Arrival(lambda: sums.size, transfer.length)
        try:
            with entry.partial.open("ab") as file:
                whole = await write_body(response, file, sums, most, self._clock, self._settings.timeout_seconds)
        except BodyTooLong:
            entry.drop_part()
            raise
        # The partial file stays: the next try resumes it.
        except (RequestTimedOut, *BROKEN) as error:
            raise_failure(error, entry.url)
        finally:
            del self._files.arriving[entry.url]
        if transfer.length is not None and sums.size < transfer.length:
            raise TransientFailure(f"it sent {sums.size} of {transfer.length} bytes")
        wrong = _wrong(transfer, whole)
        # The part that was there before may be damaged: start again, once, from the first byte.
        if wrong is not None and transfer.continued:
            return await self._restart(entry)
        if wrong is not None:
            entry.drop_part()
            raise SourceError(wrong)
        sha256, now = sums.digest("sha256"), self._wall()
        is_md5 = "md5" in sums.hashes and transfer.etag == f'"{sums.digest("md5")}"'
        entry.keep(FileRecord(entry.url, transfer.etag, transfer.last_modified, sums.size, sha256, now, is_md5))
        return FetchedFile(entry.path, sha256)


def _conditions(record: FileRecord | None) -> dict[str, str]:
    """Return the headers that request a file only if it differs from the cached one."""
    validators = {"if-none-match": record.etag, "if-modified-since": record.last_modified} if record else {}
    return {name: value for name, value in validators.items() if value}


def _fits(rest: ContentRange, size: int, begun: PartialFile, etag: str | None) -> bool:
    """Return whether the rest of a file continues the partial file."""
    told = begun.length is None or begun.length == rest.total
    return told and rest.first == size and rest.last == rest.total - 1 and etag in (None, begun.etag)


def _wrong(transfer: _Transfer, whole: bool) -> str | None:
    """
    Describe the error of a finished transfer; return ``None`` if it is right.

    :param whole: whether HTTP marked the end of the body.
    """
    if transfer.length is not None and transfer.sums.size != transfer.length:
        return f"it sent {transfer.sums.size} bytes, but announced {transfer.length}"
    if not whole and not transfer.checksums:
        return "it closed the connection without announcing a length: the file may be cut off"
    for checksum in transfer.checksums:
        if transfer.sums.digest(checksum.algorithm) != checksum.digest:
            return f"the file does not have the {checksum.algorithm} checksum that it announced"
    return None
