"""
A disk that fails: the n-th call that changes it raises an error, or is the last before a power cut.

While a :class:`FailingDisk` is entered it replaces the functions by which Python changes files: ``open`` for writing,
the writes of files that were opened so, ``os.open`` that creates, ``os.fsync``, ``os.replace``, ``os.rename``,
``os.link`` and ``os.unlink``. After a power cut nothing changes any more, and a file that was written but not synced is
empty, as on a journaling file system.
"""

from __future__ import annotations

import builtins
import errno
import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any
from unittest import mock

_CREATES = os.O_CREAT | os.O_TRUNC


class PowerCut(BaseException):
    """The machine is off: no clean-up runs."""


class FailingDisk:
    """
    A disk that fails at one call.

    :ivar calls: the calls so far, with the names of the files: ``["open a.new", "write a.new", …]``.
    :ivar failed_call: the call that failed; empty if it was not reached.
    """

    def __init__(self, fails_at: int, code: int | None = errno.EIO, lasting: bool = False) -> None:
        """
        Create a disk; nothing is replaced yet.

        :param fails_at: the number of the call that fails, from 0.
        :param code: the ``errno`` of the failure; ``None``: a power cut.
        :param lasting: whether later calls that need room on the disk fail too, as on a full disk.
        """
        self.calls: list[str] = []
        self.failed_call = ""
        self._fails_at = fails_at
        self._code = code
        self._lasting = lasting
        self._unsynced: dict[tuple[int, int], None] = {}
        self._patches = mock.patch.multiple(
            os,
            open=self._wrapped_open(os.open),
            fsync=self._wrapped_sync(os.fsync),
            fdatasync=self._wrapped_sync(os.fdatasync),
            replace=self._wrapped("replace", os.replace),
            rename=self._wrapped("replace", os.rename),
            link=self._wrapped("link", os.link),
            unlink=self._wrapped("unlink", os.unlink),
            remove=self._wrapped("unlink", os.remove),
        )
        self._open = builtins.open

    def __enter__(self) -> FailingDisk:
        self._patches.start()
        io.open = builtins.open = self._open_file  # type: ignore[assignment]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        io.open = builtins.open = self._open
        self._patches.stop()

    @property
    def failed(self) -> bool:
        """Whether the call that fails was reached."""
        return bool(self.failed_call)

    @property
    def cuts_power(self) -> bool:
        """Whether the power is cut at the failing call, or after the last call if the failing one is not reached."""
        return self._code is None

    def is_unsynced(self, path: Path) -> bool:
        """Return whether a file has content that was never synced."""
        return _inode(path) in self._unsynced

    def lose_unsynced(self, folder: Path) -> None:
        """Empty each file in a folder that was written but not synced, as a power cut does."""
        for path in folder.rglob("*"):
            if path.is_file() and self.is_unsynced(path):
                os.truncate(path, 0)

    def call(self, name: str, path: object, needs_room: bool = True) -> None:
        """
        Record a call, and fail if its number is that of the failing call.

        :raises OSError: at that call; if the failure lasts, also at later calls that need room.
        :raises PowerCut: at that call, and at every call after it.
        """
        if self.failed and self._code is None:
            raise PowerCut
        number = len(self.calls)
        self.calls.append(f"{name} {Path(os.fsdecode(path)).name}")  # type: ignore[arg-type]
        if number == self._fails_at or (self.failed and self._lasting and needs_room):
            self.failed_call = self.failed_call or self.calls[-1]
            if self._code is None:
                raise PowerCut
            raise OSError(self._code, os.strerror(self._code), str(path))

    def wrote(self, descriptor: int) -> None:
        """Mark the content of a file as not synced."""
        state = os.fstat(descriptor)
        self._unsynced[state.st_dev, state.st_ino] = None

    def _wrapped(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def called(path: Any, *more: Any, **named: Any) -> Any:
            self.call(name, path, needs_room=name == "link")
            return real(path, *more, **named)

        return called

    def _wrapped_open(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def called(path: Any, flags: int, *more: Any, **named: Any) -> Any:
            if flags & _CREATES:
                self.call("open", path)
            return real(path, flags, *more, **named)

        return called

    def _wrapped_sync(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def called(descriptor: int) -> None:
            path = os.readlink(f"/proc/self/fd/{descriptor}")
            self.call("sync-folder" if os.path.isdir(path) else "sync", path)
            real(descriptor)
            state = os.fstat(descriptor)
            self._unsynced.pop((state.st_dev, state.st_ino), None)

        return called

    def _open_file(
        self,
        file: Any,
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
        closefd: bool = True,
        opener: Any = None,
    ) -> Any:
        if not set(mode) & set("wax+"):
            return self._open(file, mode, buffering, encoding, errors, newline, closefd, opener)
        if not isinstance(file, int):
            self.call("open", file)
        raw = _Raw(self, file, mode.replace("b", "").replace("t", ""), closefd, opener)
        if buffering == 0:
            return raw
        buffered = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        return buffered if "b" in mode else io.TextIOWrapper(buffered, encoding or "utf-8", errors, newline)


class _Raw(io.FileIO):
    """A file whose writes the disk counts."""

    def __init__(self, disk: FailingDisk, file: Any, mode: str, closefd: bool, opener: Any) -> None:
        super().__init__(file, mode, closefd, opener)
        self._disk = disk
        self._path = os.readlink(f"/proc/self/fd/{self.fileno()}")

    def write(self, data: Any) -> int:
        self._disk.call("write", self._path)
        self._disk.wrote(self.fileno())
        return super().write(data)


def _inode(path: Path) -> tuple[int, int]:
    state = path.stat()
    return state.st_dev, state.st_ino


#: The ways to fail: an error that passes, a full disk, and a power cut.
WAYS: dict[str, tuple[int | None, bool]] = {
    "an error": (errno.EIO, False),
    "a full disk": (errno.ENOSPC, True),
    "a power cut": (None, False),
}


def failing_disks(way: str) -> Iterator[FailingDisk]:
    """Yield disks that fail at the first call, the second, and so on, until a disk did not reach its failing call."""
    code, lasting = WAYS[way]
    for number in range(200):
        disk = FailingDisk(number, code, lasting)
        yield disk
        if not disk.failed:
            assert disk.calls, "nothing was called"
            return
    raise AssertionError("it never succeeds")
