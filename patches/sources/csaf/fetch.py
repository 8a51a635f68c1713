"""
The documents of a CSAF provider, Red Hat, fetched as an archive and the documents that changed since.

Theory of operation. ``archive_latest.txt`` names the archive, which is as old as its date; it may have been made some
hours before that day. ``changes.csv`` and ``deletions.csv`` contain the time at which each document last changed or was
deleted. Each document that changed since the archive is fetched by itself, once: the store remembers the fetched ones,
from one process to the next.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, TypeVar

from patches.errors import SourceError
from patches.interfaces import Run
from patches.sources.archive.decompress import UnpackLimits, open_feed
from patches.sources.csaf.index import parse_archive_name, parse_times
from patches.sources.csaf.store import Change, DocumentStore
from patches.sources.feed import Fetch, FetchedFile, Use
from patches.wording import NO_FOLDER

T = TypeVar("T")

_ARCHIVE = re.compile(r"\.(?:tar(?:\.\w+)?|tgz|zip)\Z")
_MARGIN = timedelta(hours=12)
#: These files are parsed in the server: some 60 bytes for each of some 60,000 documents, plain.
_SMALL = UnpackLimits(total_bytes=16 * 1024 * 1024, dictionary_bytes=1024 * 1024)
_LONGEST_LINE = 1024
#: The highest number of documents newer than the archive; above it a newer archive is needed.
MOST_CHANGES = 20_000


class CsafFetch:
    """
    Fetches all documents of a provider.

    :param fetch: fetches a file.
    :param verified: fetches an archive or a document, and verifies it against the checksum beside it.
    :param run: runs blocking calls.
    :param path: the file of the :class:`DocumentStore`, for :meth:`DocumentStore.from_file`.
    :param use: is called with files that are in use although they are not fetched again.
    :param most: the highest number of documents that are fetched one by one.
    """

    def __init__(self, fetch: Fetch, verified: Fetch, run: Run, path: Path, use: Use, most: int = MOST_CHANGES) -> None:
        self._fetch = fetch
        self._verified = verified
        self._run = run
        self._path = path
        self._use = use
        self._most = most
        self._had: dict[str, Change] | None = None

    async def __call__(self, location: str, /) -> FetchedFile:
        """
        Fetch all documents.

        :param location: the provider's folder, which contains ``archive_latest.txt``; or a single archive, or a local
            folder of documents.
        :return: the file of the document store.
        :raises SourceError: if one of the documents cannot be fetched.
        """
        await self._run(_check, location)
        await self._run(self._go_on_using)
        is_alone = bool(_ARCHIVE.search(location)) or await self._run(_has_documents_only, location)
        store = await (self._alone(location) if is_alone else self._all(location.rstrip("/")))
        await self._run(store.keep, self._path)
        return FetchedFile(self._path, store.fingerprint())

    def _go_on_using(self) -> None:
        """Mark the files of the present store as in use, whether or not anything can be fetched now."""
        with suppress(SourceError):
            store = DocumentStore.from_file(self._path)
            self._use([store.archive, *(change.path for change in store.changed.values())])

    async def _alone(self, location: str) -> DocumentStore:
        archive = await self._verified(location)
        return DocumentStore(archive.path, archive.state)

    async def _all(self, base: str) -> DocumentStore:
        name, day = await self._listed(f"{base}/archive_latest.txt", parse_archive_name)
        changes = await self._listed(f"{base}/changes.csv", parse_times)
        deletions = await self._listed(f"{base}/deletions.csv", parse_times)
        archive = await self._verified(f"{base}/{name}")
        deleted = {path: time for path, time in deletions.items() if time >= day - _MARGIN}
        newer = {
            path: time
            for path, time in changes.items()
            if time >= day - _MARGIN and not (path in deleted and deleted[path] >= time)
        }
        if len(newer) > self._most:
            raise SourceError(f"{base}: {len(newer)} documents are newer than {name}, more than {self._most}")
        changed = await self._changed(base, newer)
        return DocumentStore(archive.path, archive.state, changed, frozenset(deleted.keys() - changed.keys()))

    async def _changed(self, base: str, newer: dict[str, datetime]) -> dict[str, Change]:
        """Fetch the documents that changed, the oldest first; after a failure, the next call continues there."""
        if self._had is None:
            self._had = await self._run(_before, self._path)
        for path, time in sorted(newer.items(), key=lambda item: (item[1], item[0])):
            had = self._had.get(path)
            if had is None or had.time != time or not had.path.exists():
                self._had[path] = Change(time, (await self._verified(f"{base}/{path}")).path)
        self._had = {path: self._had[path] for path in newer}
        return self._had

    async def _listed(self, location: str, parse: Callable[[Iterable[str]], T]) -> T:
        listed = await self._fetch(location)
        return await self._run(_parse, listed.path, location, parse)


def _check(location: str) -> None:
    """
    Check that a location may be one of many documents.

    :raises SourceError: if it is a single document, or a local path that does not exist.
    """
    if location.endswith(".json"):
        raise SourceError(f"{location}: this is one document; an archive or a folder of documents is needed")
    if "://" not in location and not Path(location).exists():
        raise SourceError(f"{location}: {NO_FOLDER}")


def _has_documents_only(location: str) -> bool:
    """Return whether a location is a local folder that is not a copy of a provider's."""
    return "://" not in location and Path(location).is_dir() and not Path(location, "archive_latest.txt").exists()


def _before(path: Path) -> dict[str, Change]:
    """Return the changed documents of the present store; empty if it cannot be read."""
    try:
        return dict(DocumentStore.from_file(path).changed)
    except SourceError:
        return {}


def _lines(stream: BinaryIO) -> Iterator[str]:
    """Yield the lines of a file, one at a time."""
    while line := stream.readline(_LONGEST_LINE + 1):
        if len(line) > _LONGEST_LINE:
            raise SourceError(f"a line of more than {_LONGEST_LINE} bytes")
        yield line.decode("utf-8", "replace")


def _parse(path: Path, location: str, parse: Callable[[Iterable[str]], T]) -> T:
    try:
        with open_feed(path, _SMALL) as stream:
            return parse(_lines(stream))
    except SourceError as error:
        raise SourceError(f"{location}: {error}") from error
