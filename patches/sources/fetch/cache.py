"""
A folder of downloaded files, each whole or not there, with what is known of it in a JSON file beside it.

Theory of operation. A file's names begin with the SHA-256 of its URL. A transfer goes to ``….part``, and what is needed
to continue it to ``….part.json``; that is written after the ``.part`` was emptied and removed before it becomes the
file, so that a ``.part.json`` always speaks of what is there. The file is renamed into place before its record is
written: after a crash between the two the old validators are sent, and the file is had again. The time of a file is
renewed whenever it is used: by that it is known what is not.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

import attrs
from attrs import field, frozen
from twisted.internet.defer import DeferredLock

from patches.sources.fetch.checksums import Checksum
from patches.storage.atomic_file import write_atomically

_VERSION = 1
T = TypeVar("T", bound="FileRecord | PartialFile")


def _checksums(items: Iterable[Checksum | dict[str, str]]) -> tuple[Checksum, ...]:
    return tuple(item if isinstance(item, Checksum) else Checksum(**item) for item in items)


@frozen
class FileRecord:
    """
    What is known of a file that is here.

    :ivar length: in bytes.
    :ivar sha256: in hexadecimal.
    :ivar fetched: when, in seconds since 1970.
    """

    url: str
    etag: str | None
    last_modified: str | None
    length: int
    sha256: str
    fetched: float


@frozen
class PartialFile:
    """
    What is known of a file of which a part is here.

    :ivar etag: a strong one.
    :ivar length: of the whole file; ``None``: it was not told.
    :ivar checksums: that the server promised of the whole file.
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
        """Where the file is; its name ends as that of the URL does, so that people know it."""
        name = re.sub(r"[^A-Za-z0-9._-]", "_", urlsplit(self.url).path.rpartition("/")[2])[-64:]
        return self.folder / f"{_digest(self.url)}-{name}"

    @property
    def partial(self) -> Path:
        """Where it is while it comes."""
        return self._beside("part")

    def record(self) -> FileRecord | None:
        """Read what is known of the file; ``None`` if it is not here, or is not the file that was written."""
        record = _read(self._beside("json"), FileRecord, self.url)
        return record if record is not None and _size(self.path) == record.length else None

    def begun(self) -> PartialFile | None:
        """Read what is known of the part of the file that is here; ``None`` if there is nothing to continue."""
        begun = _read(self._beside("part.json"), PartialFile, self.url)
        size = _size(self.partial)
        if begun is None or not size or (begun.length is not None and size >= begun.length):
            return None
        return begun

    def begin(self, begun: PartialFile | None) -> None:
        """Empty the part; ``None``: it cannot be continued."""
        self._beside("part.json").unlink(missing_ok=True)
        self.partial.open("wb").close()
        if begun is not None:
            _write(self._beside("part.json"), begun)

    def keep(self, record: FileRecord) -> None:
        """Make the part, which is whole, the file."""
        self._beside("part.json").unlink(missing_ok=True)
        self.partial.replace(self.path)
        _write(self._beside("json"), record)

    def drop_part(self) -> None:
        """Forget the part."""
        self._beside("part.json").unlink(missing_ok=True)
        self.partial.unlink(missing_ok=True)

    def _beside(self, suffix: str) -> Path:
        return self.folder / f"{_digest(self.url)}.{suffix}"


class FileCache:
    """
    A folder that is ours.

    :param folder: is made when it is needed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._locks: WeakValueDictionary[str, DeferredLock] = WeakValueDictionary()

    def entry(self, url: str) -> CacheEntry:
        """Give the files of a URL."""
        self._folder.mkdir(parents=True, exist_ok=True)
        return CacheEntry(self._folder, url)

    def lock(self, url: str) -> DeferredLock:
        """Give what whoever writes to the files of a URL must hold."""
        return self._locks.setdefault(url, DeferredLock())

    def use(self, paths: Iterable[Path]) -> None:
        """Note that files are in use: those of them that are here, and are ours."""
        folder = self._folder.absolute()
        for path in paths:
            if path.absolute().parent == folder:
                with suppress(FileNotFoundError):
                    os.utime(path)

    def forget_unused(self, before: float) -> int:
        """
        Remove the files of URLs that nobody has used since some time, but for those that are being fetched.

        :param before: in seconds since 1970.
        :return: how many files were removed.
        """
        here = [path for path in self._files() if re.match(r"[0-9a-f]{64}[-.]", path.name)]
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
    """Read what was written; what cannot be read, or is of another version or URL, is not there."""
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
