"""Atomic writes: a file keeps its old content until the new content is complete and on disk."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from attrs import define

from patches.wording import NO_FOLDER, file_problem

_SUFFIX = ".new"


class Unwritable(Exception):
    """A file that cannot be written; its text names the file and the reason, in one line."""


def write_atomically(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """
    Replace the content of a file durably: even after a power failure it has either the old content or the new.

    :param mode: the permissions of the file.
    :raises OSError: if it cannot be written.
    """
    with replacing(path, mode=mode) as file:
        file.write(content)


@contextmanager
def replacing(path: Path, *, mode: int = 0o600) -> Iterator[BinaryIO]:
    """
    Open a file that replaces another durably when the context is left; an error leaves the other file as it was.

    :param mode: the permissions of the file.
    :raises OSError: if it cannot be written.
    """
    with _beside(path, mode) as (file, beside):
        yield file
        file.flush()
        os.fsync(file.fileno())
        os.replace(beside, path)
    sync_folder(path.parent)


def create_atomically(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """
    Create a file durably; no other process ever sees a part of it.

    :param mode: the permissions of the file.
    :raises FileExistsError: if it exists already; it is not changed.
    :raises OSError: if it cannot be written.
    """
    with _beside(path, mode) as (file, beside):
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
        os.link(beside, path)
    try:
        sync_folder(path.parent)
    except OSError:
        path.unlink(missing_ok=True)
        raise


def remove_temporary(path: Path) -> None:
    """
    Remove the temporary files of a file's earlier writes, which a power cut left behind.

    No other process may be writing the file.

    :raises OSError: if one of them cannot be removed.
    """
    # The eight characters are those of the standard library's tempfile.
    left = re.compile(rf"{re.escape(_prefix(path))}[a-z0-9_]{{8}}{re.escape(_SUFFIX)}")
    for each in path.parent.iterdir():
        if left.fullmatch(each.name):
            each.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """
    Wait until the names of the files in a folder are on disk.

    :raises OSError: if the folder cannot be synced.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _beside(path: Path, mode: int) -> Iterator[tuple[BinaryIO, str]]:
    """Create a file in the folder of another, and remove it at the end unless it was renamed."""
    descriptor, beside = tempfile.mkstemp(prefix=_prefix(path), suffix=_SUFFIX, dir=path.parent)
    try:
        with open(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            yield file, beside
    finally:
        with suppress(OSError):
            os.unlink(beside)


def _prefix(path: Path) -> str:
    """Return the beginning of the names of a file's temporary files; they fit where the file's own name does not."""
    return f"{path.name[:200]}."


@define(eq=False)
class WholeFile:
    """
    A file that is written beside its place and then moved there; leaving the context removes a file that was not moved.

    :ivar path: its place.
    """

    path: Path
    _beside: Path
    _descriptor: int

    @classmethod
    def at(cls, path: Path) -> WholeFile:
        """
        Create a file beside its place.

        :raises Unwritable: if it cannot be written there: known now, before there is any content to write.
        """
        place = Path(os.path.realpath(path))
        beside = place.with_name(f".{place.name}.{os.getpid()}.new")
        try:
            if place.exists() and not place.is_file():
                raise Unwritable(f"{path}: not a regular file")
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise Unwritable(f"{path}: {file_problem(error, NO_FOLDER)}") from error
        except ValueError as error:
            raise Unwritable(f"{path}: {error}") from error
        return cls(place, beside, descriptor)

    def put(self, pieces: Iterable[str]) -> None:
        """
        Write the content, piece by piece, and move the file to its place, atomically and durably.

        :raises Unwritable: if it cannot be written.
        """
        try:
            with open(self._descriptor, "w", encoding="utf-8", errors="surrogateescape", closefd=False) as file:
                file.writelines(pieces)
                file.flush()
                os.fsync(self._descriptor)
            self._beside.replace(self.path)
            sync_folder(self.path.parent)
        except OSError as error:
            raise Unwritable(f"{self.path}: {file_problem(error, NO_FOLDER)}") from error

    def __enter__(self) -> WholeFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            os.close(self._descriptor)
            self._beside.unlink(missing_ok=True)
