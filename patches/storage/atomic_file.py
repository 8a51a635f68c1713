"""A file that is written whole or not at all: what was there before stays until the new content is on disk."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType

from attrs import define


class Unwritable(Exception):
    """A file that cannot be written; its text says which and why, in one line."""


@define(eq=False)
class WholeFile:
    """
    A file beside its place, until it is put there; leave its context, and nothing stays of what was not put.

    :ivar path: its place.
    """

    path: Path
    _beside: Path
    _descriptor: int

    @classmethod
    def at(cls, path: Path) -> WholeFile:
        """
        Begin to write a file.

        :raises Unwritable: if it cannot be written there: known now, before there is anything to write.
        """
        place = Path(os.path.realpath(path))
        beside = place.with_name(f".{place.name}.{os.getpid()}.new")
        try:
            if place.exists() and not place.is_file():
                raise Unwritable(f"{path}: not a regular file")
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        except (OSError, ValueError) as error:
            raise Unwritable(f"{path}: {getattr(error, 'strerror', None) or error}") from error
        return cls(place, beside, descriptor)

    def put(self, text: str) -> None:
        """
        Write the content, and put the file in its place.

        :raises Unwritable: if that fails.
        """
        try:
            with open(self._descriptor, "w", encoding="utf-8", errors="surrogateescape", closefd=False) as file:
                file.write(text)
                file.flush()
                os.fsync(self._descriptor)
            self._beside.replace(self.path)
        except OSError as error:
            raise Unwritable(f"{self.path}: {error.strerror}") from error

    def __enter__(self) -> WholeFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)
        self._beside.unlink(missing_ok=True)
