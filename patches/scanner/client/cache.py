"""
A cache on disk of the newest verified list of a platform, used if the list has not changed or the server is away.

A cached list is two files. ``PLATFORM.json`` describes the snapshot; the other file contains the chunks as gzip, each
preceded by its length. The description is written last, so that a list is cached whole or not at all. A list that is
read from the cache is verified again.
"""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import json
import os
import struct
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from attrs import define, frozen

from patches.scanner.client.verified_stream import NotVerified, VerifiedStream
from patches.service.log.trouble_log import TroubleLog
from patches.storage.atomic_file import write_atomically
from patches.wire import MAX_CHUNK_BYTES, MalformedWire, digest, unpack_chunk

_VERSION = 1
_NEW, _ABANDONED_SECONDS = ".new", 24 * 3600.0
_LENGTH = struct.Struct(">I")
_MOST_DESCRIPTION = 64 * 1024


def cache_trouble() -> TroubleLog:
    """Create the log of lists that cannot be cached."""
    return TroubleLog("The list cannot be cached", "The list can be cached again")


class ListCache:
    """
    The cached list of one platform.

    :param folder: where the files are; it is created when the first list is cached.
    :param trouble: logs that lists cannot be cached; whoever scans again and again has one for all scans.
    :ivar origin: the server or the sources of the lists that are kept from now on; ``None``: not known.
    :ivar asked: whom it was asked for: another one's list never stands in for it; ``None``: not known.
    """

    def __init__(self, folder: Path, platform: str, trouble: TroubleLog | None = None) -> None:
        self.trouble = trouble or cache_trouble()
        self.origin: str | None = None
        self.asked: str | None = None
        self._folder = folder
        self._platform = platform

    def cached(self) -> CachedList | None:
        """Return the cached list; ``None`` if it does not exist or its description cannot be read."""
        found = self._read()
        if found is None:
            return None
        snapshot = dict(found["snapshot"])
        told = (found.get(name) for name in ("origin", "asked"))
        origin, asked = (each if isinstance(each, str) else None for each in told)
        return CachedList(self._chunks(snapshot.get("revision")), snapshot, origin, asked)

    def _described(self) -> dict[str, Any] | None:
        found = self._read()
        return dict(found["snapshot"]) if found is not None else None

    def _read(self) -> dict[str, Any] | None:
        try:
            with self._description.open("rb") as file:
                found = json.loads(file.read(_MOST_DESCRIPTION))
        except (OSError, ValueError, RecursionError):
            return None
        usable = (
            isinstance(found, dict)
            and found.get("version") == _VERSION
            and isinstance(found.get("snapshot"), dict)
            and found.get("digest") in (None, _digest(found["snapshot"]))  # earlier versions wrote none
        )
        return found if usable else None

    def keep(self) -> ListWriter | None:
        """Return a writer for a new list; ``None``, with a warning in the log, if the folder cannot be used."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._remove_abandoned()
            # Each writer has a file of its own: several scanners may use one cache.
            descriptor, path = tempfile.mkstemp(_NEW, f"{self._platform}.", self._folder)
            return ListWriter(self, Path(path), os.fdopen(descriptor, "wb"))
        except OSError as error:
            self.trouble.begin(f"{self._folder}: {error.strerror}")
            return None

    def _remove_abandoned(self) -> None:
        """Remove the files of writers that ended without closing them, long ago."""
        before = time.time() - _ABANDONED_SECONDS
        for path in self._folder.glob(f"{self._platform}.*{_NEW}"):
            with suppress(OSError):
                if path.stat().st_mtime < before:
                    path.unlink()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Lock the folder: one scanner at a time replaces a list."""
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def put(self, written: Path, snapshot: dict[str, Any]) -> None:
        """
        Replace the cached list with one that was written.

        The order matters: the chunks first, then the description that names them, then the removal of the old chunks.
        After a crash between two steps the description still names chunks that exist.

        :param written: the file of chunks; it is renamed.
        :raises OSError: if a file cannot be written.
        """
        with self._locked():
            before = self._described()
            written.replace(self._chunks(snapshot.get("revision")))
            self._describe(snapshot)
            if before is not None and before.get("revision") != snapshot.get("revision"):
                self._chunks(before.get("revision")).unlink(missing_ok=True)

    def describe(self, snapshot: dict[str, Any]) -> None:
        """Replace the description of the cached list: the time of its last check changes even if the list does not."""
        try:
            with self._locked():
                now = self._described()
                if now is not None and now.get("revision") == snapshot.get("revision"):  # else another one replaced it
                    self._describe(snapshot)
        except OSError as error:
            self.trouble.begin(f"{self._folder}: {error.strerror}")
        else:
            self.trouble.end()

    def _describe(self, snapshot: dict[str, Any]) -> None:
        document = {"version": _VERSION, "snapshot": snapshot, "digest": _digest(snapshot)}
        if self.origin is not None:  # earlier versions pass over it
            document["origin"] = self.origin
        if self.asked is not None:
            document["asked"] = self.asked
        write_atomically(self._description, json.dumps(document).encode())

    def drop(self) -> None:
        """Remove the cached list, which was found damaged."""
        with suppress(OSError):
            self._description.unlink(missing_ok=True)

    @property
    def _description(self) -> Path:
        return self._folder / f"{self._platform}.json"

    def _chunks(self, revision: object) -> Path:
        name = "".join(character for character in str(revision) if character.isalnum())[:64]
        return self._folder / f"{self._platform}-{name}.chunks"


def _digest(snapshot: dict[str, Any]) -> str:
    """Return the digest of a description: the list has one of its own, but not the time of its last check."""
    return hashlib.sha256(json.dumps(snapshot, sort_keys=True).encode()).hexdigest()


@define(eq=False)
class ListWriter:
    """The writer of a cached list. If it fails, as on a full disk, the list is not cached, but the scan goes on."""

    cache: ListCache
    path: Path
    file: BinaryIO

    def add(self, body: bytes) -> None:
        """Write a chunk. Nothing is written after an error."""
        if self.file.closed:
            return
        packed = gzip.compress(body, 6)
        try:
            self.file.write(_LENGTH.pack(len(packed)) + packed)
        except OSError as error:
            self._fail(error)
            self._end()

    def commit(self, snapshot: dict[str, Any]) -> None:
        """Replace the cached list with the one that was written; without effect after an error of the writer."""
        # without a digest in its description, the list could not be verified when it is read
        if self.file.closed or "digest" not in snapshot:
            return
        try:
            # the chunks must be on the disk before the description names them
            self.file.flush()
            os.fsync(self.file.fileno())
            self.file.close()
            self.cache.put(self.path, snapshot)
        except OSError as error:
            self._fail(error)
        else:
            self.cache.trouble.end()

    def _fail(self, error: OSError) -> None:
        self.cache.trouble.begin(f"{self.path.parent}: {error.strerror}")

    def close(self) -> None:
        """Close the file, and remove it unless it was committed."""
        self._end()
        with suppress(OSError):
            self.path.unlink(missing_ok=True)

    def _end(self) -> None:
        with suppress(OSError):  # closing writes the buffered bytes, for which the disk may be too full
            self.file.close()


@frozen
class CachedList:
    """
    A list in the cache.

    :ivar path: the file of its chunks.
    :ivar snapshot: the newest description of the list.
    :ivar origin: the server or the sources that it is from; ``None``: not known.
    :ivar asked: whom it was asked for; ``None``: not known.
    """

    path: Path
    snapshot: dict[str, Any]
    origin: str | None = None
    asked: str | None = None

    @property
    def revision(self) -> str:
        """The revision, as the server named it."""
        return str(self.snapshot.get("revision"))

    def stream(self) -> CachedStream:
        """Return a stream that reads and verifies the list."""
        return CachedStream(self)

    def bodies(self) -> Iterator[bytes]:
        """
        Yield the body of each chunk as it was written, not verified.

        :raises NotVerified: if the file cannot be read, or a chunk cannot be unpacked.
        """
        try:
            with self.path.open("rb") as file:
                while head := file.read(_LENGTH.size):
                    yield unpack_chunk(file.read(min(*_LENGTH.unpack(head), MAX_CHUNK_BYTES)))
        except (OSError, MalformedWire, struct.error) as error:
            raise NotVerified(f"the cached list is damaged: {error}") from error

    def lines(self) -> Iterator[bytes]:
        """
        Yield each line, including its line feed.

        :raises NotVerified: as :meth:`bodies` does.
        """
        for body in self.bodies():
            yield from body.splitlines(keepends=True)


class CachedStream(VerifiedStream):
    """A pass over a cached list."""

    def __init__(self, cached: CachedList) -> None:
        super().__init__()
        self.snapshot = cached.snapshot
        self._kept = cached

    async def bodies(self) -> AsyncIterator[bytes]:
        """
        Yield the body of each chunk.

        The digest can be compared only at the end, so the caller must discard what it read if that fails.

        :raises NotVerified: if the list is damaged, or is not the one that its description describes.
        """
        chunks = 0
        for body in self._kept.bodies():
            self._count(body, digest(body))
            chunks += 1
            yield body
        self._verify_end(self.snapshot, chunks)
