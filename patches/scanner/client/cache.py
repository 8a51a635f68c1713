"""
The last list of a platform that was verified whole, kept on disk: for when it has not changed, or the server is away.

Two files: ``PLATFORM.json`` describes the snapshot; the other has its chunks as gzip, each with its length before it.
The description is written last: a list is there whole or not at all. What is read is verified again.
"""

from __future__ import annotations

import gzip
import json
import os
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from attrs import define, frozen
from twisted.logger import Logger

from patches.scanner.client.verified_stream import NotVerified, VerifiedStream
from patches.storage.atomic_file import write_atomically
from patches.wire import MAX_CHUNK_BYTES, MalformedWire, digest, unpack_chunk

log = Logger()

_VERSION = 1
_LENGTH = struct.Struct(">I")
_MOST_DESCRIPTION = 64 * 1024


class ListCache:
    """
    The list of one platform.

    :param folder: is made when a list is kept.
    """

    def __init__(self, folder: Path, platform: str) -> None:
        self._folder = folder
        self._platform = platform

    def cached(self) -> CachedList | None:
        """Give the list that is kept; ``None`` if there is none that could be read."""
        snapshot = self._described()
        return CachedList(self._chunks(snapshot.get("revision")), snapshot) if snapshot is not None else None

    def _described(self) -> dict[str, Any] | None:
        try:
            with self._description.open("rb") as file:
                found = json.loads(file.read(_MOST_DESCRIPTION))
        except (OSError, ValueError, RecursionError):
            return None
        usable = (
            isinstance(found, dict) and found.get("version") == _VERSION and isinstance(found.get("snapshot"), dict)
        )
        return dict(found["snapshot"]) if usable else None

    def keep(self) -> ListWriter | None:
        """Begin to keep another list; ``None`` if the folder cannot be used."""
        path = self._folder / f"{self._platform}.new"
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            return ListWriter(self, path, path.open("wb"))
        except OSError as error:
            log.warn("The list cannot be kept in {folder}: {why}", folder=str(self._folder), why=error.strerror)
            return None

    def put(self, written: Path, snapshot: dict[str, Any]) -> None:
        """Put a list that was written in the place of the one that was here."""
        before = self._described()
        written.replace(self._chunks(snapshot.get("revision")))
        self._describe(snapshot)
        if before is not None and before.get("revision") != snapshot.get("revision"):
            self._chunks(before.get("revision")).unlink(missing_ok=True)

    def describe(self, snapshot: dict[str, Any]) -> None:
        """Write down what is said of the list that is kept: when it was last checked changes though it does not."""
        try:
            self._describe(snapshot)
        except OSError as error:
            log.warn("When the list was checked cannot be kept: {why}", why=error.strerror)

    def _describe(self, snapshot: dict[str, Any]) -> None:
        write_atomically(self._description, json.dumps({"version": _VERSION, "snapshot": snapshot}).encode())

    @property
    def _description(self) -> Path:
        return self._folder / f"{self._platform}.json"

    def _chunks(self, revision: object) -> Path:
        name = "".join(character for character in str(revision) if character.isalnum())[:64]
        return self._folder / f"{self._platform}-{name}.chunks"


@define(eq=False)
class ListWriter:
    """A list that is being written; a disk that is full costs the list that is kept, not the scan."""

    cache: ListCache
    path: Path
    file: BinaryIO

    def add(self, body: bytes) -> None:
        """Write a chunk."""
        if self.file.closed:
            return
        packed = gzip.compress(body, 6)
        try:
            self.file.write(_LENGTH.pack(len(packed)) + packed)
        except OSError as error:
            log.warn("The list cannot be kept: {why}", why=error.strerror)
            self._end()

    def commit(self, snapshot: dict[str, Any]) -> None:
        """Put what was written in the place of what was kept before."""
        if self.file.closed or "digest" not in snapshot:
            return
        try:
            self.file.flush()
            os.fsync(self.file.fileno())
            self.file.close()
            self.cache.put(self.path, snapshot)
        except OSError as error:
            log.warn("The list cannot be kept: {why}", why=error.strerror)

    def close(self) -> None:
        """End; what was not committed is gone."""
        self._end()
        with suppress(OSError):
            self.path.unlink(missing_ok=True)

    def _end(self) -> None:
        with suppress(OSError):  # what is still buffered may not fit on the disk
            self.file.close()


@frozen
class CachedList:
    """
    A list that is kept.

    :ivar path: of its chunks.
    :ivar snapshot: what was said of it last.
    """

    path: Path
    snapshot: dict[str, Any]

    @property
    def revision(self) -> str:
        """Its revision, as the server named it."""
        return str(self.snapshot.get("revision"))

    def stream(self) -> CachedStream:
        """Begin a pass over it."""
        return CachedStream(self)

    def bodies(self) -> Iterator[bytes]:
        """
        Give the body of each chunk, as it was written, not verified.

        :raises NotVerified: where that is not to be had.
        """
        try:
            with self.path.open("rb") as file:
                while head := file.read(_LENGTH.size):
                    yield unpack_chunk(file.read(min(*_LENGTH.unpack(head), MAX_CHUNK_BYTES)))
        except (OSError, MalformedWire, struct.error) as error:
            raise NotVerified(f"the list that was kept is damaged: {error}") from error

    def lines(self) -> Iterator[bytes]:
        """Give each line, its line feed included; raises as :meth:`bodies`."""
        for body in self.bodies():
            yield from body.splitlines(keepends=True)


class CachedStream(VerifiedStream):
    """One pass over a list that is kept."""

    def __init__(self, cached: CachedList) -> None:
        super().__init__()
        self.snapshot = cached.snapshot
        self._kept = cached

    async def bodies(self) -> AsyncIterator[bytes]:
        """Give the body of each chunk; what does not verify in the end was for nothing."""
        chunks = 0
        for body in self._kept.bodies():
            self._count(body, digest(body))
            chunks += 1
            yield body
        self._verify_end(self.snapshot, chunks)
