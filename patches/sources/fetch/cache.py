"""
A folder of downloaded files: each file is complete or absent, and a JSON file beside it describes it.

Theory of operation. The names of a file begin with the SHA-256 of its URL. A transfer is written to ``….part``, and the
data needed to resume it to ``….part.json``; the latter is written after the ``.part`` was emptied and removed before
the ``.part`` becomes the file, so that a ``.part.json`` always describes the present ``.part``. The file is renamed
into place before its record is written: after a crash between the two, the old validators are sent and the file is
downloaded again. The modification time of a file is renewed at each use, so that unused files can be recognised by it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

import attrs
from attrs import field, frozen
from twisted.internet.defer import DeferredLock

from patches.service.clocks import SteadyTime
from patches.sources.fetch.checksums import Checksum
from patches.storage.atomic_file import write_atomically

_VERSION = 1
T = TypeVar("T", bound="FileRecord | PartialFile")


def _checksums(items: Iterable[Checksum | dict[str, str]]) -> tuple[Checksum, ...]:
    return tuple(item if isinstance(item, Checksum) else Checksum(**item) for item in items)


@frozen
class FileRecord:
    """
    The description of a cached file.

    :ivar length: in bytes.
    :ivar sha256: in hexadecimal.
    :ivar fetched: the time of the download, in seconds since 1970.
    :ivar etag_is_md5: whether the entity tag is the MD5 of the content, as Amazon's storage has it: then the tag of
        the next content must be its MD5, too.
    """

    url: str
    etag: str | None
    last_modified: str | None
    length: int
    sha256: str
    fetched: float
    etag_is_md5: bool = False


@frozen
class PartialFile:
    """
    The description of a partly downloaded file.

    :ivar etag: a strong validator.
    :ivar length: of the whole file; ``None``: not announced.
    :ivar checksums: those that the server announced for the whole file.
    """

    url: str
    etag: str
    last_modified: str | None
    length: int | None
    checksums: tuple[Checksum, ...] = field(converter=_checksums)


@frozen
class CacheEntry:
    """The files that belong to one URL."""

    folder: Path
    url: str

    @property
    def path(self) -> Path:
        """The path of the file; it ends like the path of the URL, so that people recognise it."""
        name = re.sub(r"[^A-Za-z0-9._-]", "_", urlsplit(self.url).path.rpartition("/")[2])[-64:]
        return self.folder / f"{_digest(self.url)}-{name}"

    @property
    def partial(self) -> Path:
        """The path of the file during the transfer."""
        return self._beside("part")

    def record(self) -> FileRecord | None:
        """Read the record of the file; ``None`` if the file is missing or does not have the recorded length."""
        record = _read(self._beside("json"), FileRecord, self.url)
        return record if record is not None and _size(self.path) == record.length else None

    def begun(self) -> PartialFile | None:
        """Read the record of the partial file; ``None`` if there is nothing to resume."""
        begun = _read(self._beside("part.json"), PartialFile, self.url)
        size = _size(self.partial)
        if begun is None or not size or (begun.length is not None and size >= begun.length):
            return None
        return begun

    def begin(self, begun: PartialFile | None) -> None:
        """Empty the partial file and write its record; ``None``: it cannot be resumed."""
        # The record is removed first: after a crash it must not describe the emptied file.
        self._beside("part.json").unlink(missing_ok=True)
        self.partial.open("wb").close()
        if begun is not None:
            _write(self._beside("part.json"), begun)

    def keep(self, record: FileRecord) -> None:
        """Turn the partial file, which is complete, into the file."""
        # In this order: see the theory of operation at the top of the module.
        self._beside("part.json").unlink(missing_ok=True)
        self.partial.replace(self.path)
        _write(self._beside("json"), record)

    def drop_part(self) -> None:
        """Remove the partial file."""
        self._beside("part.json").unlink(missing_ok=True)
        self.partial.unlink(missing_ok=True)

    def _beside(self, suffix: str) -> Path:
        return self.folder / f"{_digest(self.url)}.{suffix}"


@frozen
class Arrival:
    """
    A file that is being downloaded.

    :ivar received: returns the number of bytes so far.
    :ivar size: the number of all bytes; ``None``: not announced.
    """

    received: Callable[[], int]
    size: int | None


class FileCache:
    """
    A folder that belongs to the cache alone.

    :ivar arriving: the files that are being downloaded, by URL.

    :param folder: created when it is first used.
    :param steady: returns the time in seconds since the epoch, by which files grow old.
    """

    def __init__(self, folder: Path, steady: Callable[[], float] | None = None) -> None:
        self._folder = folder
        self._steady = steady or SteadyTime()
        self.arriving: dict[str, Arrival] = {}
        # A lock lives as long as it is held or awaited: the dictionary does not grow with the number of URLs.
        self._locks: WeakValueDictionary[str, DeferredLock] = WeakValueDictionary()

    def entry(self, url: str) -> CacheEntry:
        """Return the files of a URL."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return CacheEntry(self._folder, url)

    def lock(self, url: str) -> DeferredLock:
        """Return the lock that a writer of the files of a URL must hold."""
        return self._locks.setdefault(url, DeferredLock())

    def use(self, paths: Iterable[Path]) -> None:
        """Renew the modification times of those files that exist and are in this folder."""
        folder, now = self._folder.absolute(), self._steady()
        for path in paths:
            if path.absolute().parent == folder:
                with suppress(FileNotFoundError):
                    os.utime(path, (now, now))

    def drop(self, paths: Iterable[Path]) -> None:
        """Remove those files that are in this folder, with their records: the next request is for the whole file."""
        folder = self._folder.absolute()
        for path in paths:
            if path.absolute().parent == folder:
                path.with_name(f"{path.name[:64]}.json").unlink(missing_ok=True)
                path.unlink(missing_ok=True)

    def forget_unused(self, before: float) -> int:
        """
        Remove the files of URLs that were not used since a time, except those that are being fetched.

        :param before: that time, in seconds since 1970.
        :return: the number of removed files.
        """
        here = [path for path in self._files() if re.match(r"[0-9a-f]{64}[-.]", path.name)]
        # A copy of the items: a lock may be collected during the iteration.
        stay = {_digest(url) for url, lock in list(self._locks.items()) if lock.locked}
        stay |= {path.name[:64] for path in here if _time(path) >= before}
        gone = [path for path in here if path.name[:64] not in stay]
        for path in gone:
            path.unlink(missing_ok=True)
        return len(gone)

    def _files(self) -> list[Path]:
        return list(self._folder.iterdir()) if self._folder.is_dir() else []


def _digest(url: str) -> str:
    return hashlib.sha256(url.encode("utf-8", "surrogateescape")).hexdigest()


def _time(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def _read(path: Path, kind: type[T], url: str) -> T | None:
    """Read a record; ``None`` if it is missing, damaged, or of another version or URL."""
    try:
        document: dict[str, Any] = json.loads(path.read_bytes())
        if document.pop("version") != _VERSION or document["url"] != url:
            return None
        return kind(**document)
    except (FileNotFoundError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _write(path: Path, value: FileRecord | PartialFile) -> None:
    document = {"version": _VERSION, **attrs.asdict(value)}
    write_atomically(path, (json.dumps(document, indent=1) + "\n").encode())
