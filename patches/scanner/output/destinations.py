"""Destinations of documents: standard output, a file that is replaced as a whole, and a device or a pipe."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from attrs import frozen

from patches.storage.atomic_file import Unwritable, WholeFile
from patches.wording import file_problem

#: The names of standard output. None of them is opened: what a shell redirected it to is only added to.
STANDARD_OUTPUT = ("-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")


class Destination(Protocol):
    """A place for one document."""

    def put(self, pieces: Iterable[str]) -> None:
        """Write a document, piece by piece; raise :class:`~patches.storage.atomic_file.Unwritable` if that fails."""


@frozen
class StandardOutput:
    """Standard output."""

    def put(self, pieces: Iterable[str]) -> None:
        """
        Write a document.

        :raises Unwritable: if it cannot be written.
        """
        try:
            sys.stdout.writelines(pieces)
            sys.stdout.flush()
        except OSError as error:
            raise Unwritable(f"standard output: {error.strerror}") from error


@frozen
class Stream:
    """
    A device such as ``/dev/null``, or a pipe.

    :ivar path: its path.
    """

    path: Path
    _descriptor: int

    def put(self, pieces: Iterable[str]) -> None:
        """
        Write a document.

        :raises Unwritable: if it cannot be written.
        """
        try:
            with open(self._descriptor, "w", encoding="utf-8", errors="surrogateescape", closefd=False) as file:
                file.writelines(pieces)
        except OSError as error:
            raise Unwritable(f"{self.path}: {file_problem(error)}") from error


def open_destination(place: str, stack: ExitStack) -> Destination:
    """
    Open a destination, which is known to be writable from then on.

    :param place: a path, or a name of standard output.
    :param stack: closes it at its end.
    :raises Unwritable: if it cannot be written.
    """
    if place in STANDARD_OUTPUT:
        return StandardOutput()
    path = Path(place)
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        mode = stat.S_IFREG  # it is to be created, or the error is found there
    if not (stat.S_ISCHR(mode) or stat.S_ISFIFO(mode)):
        return stack.enter_context(WholeFile.at(path))
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError as error:
        raise Unwritable(f"{place}: {file_problem(error)}") from error
    stack.callback(os.close, descriptor)
    return Stream(path, descriptor)
