"""Standard output that cannot be written: full, or closed; a command then ends with one line."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO


class OutputError(OSError):
    """Standard output cannot be written."""


class CheckedOutput:
    """
    A stream whose errors can be told from those of other files, which do not name their file either.

    :param stream: where to write; ``None`` if it was closed before the command began.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def isatty(self) -> bool:
        """Return whether the stream is a terminal."""
        return self._stream is not None and self._stream.isatty()

    def write(self, text: str) -> int:
        """Write a text; raise :class:`OutputError` if that fails."""
        with _telling():
            if self._stream is None:
                raise OSError(errno.EBADF, os.strerror(errno.EBADF))
            return self._stream.write(text)

    def writelines(self, texts: Iterable[str]) -> None:
        """Write texts; raise :class:`OutputError` if that fails."""
        for text in texts:
            self.write(text)

    def flush(self) -> None:
        """Write what was buffered; raise :class:`OutputError` if that fails."""
        with _telling():
            if self._stream is not None:
                self._stream.flush()


@contextmanager
def _telling() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(error.errno, error.strerror) from error


@contextmanager
def checked_output() -> Iterator[None]:
    """
    Write all of standard output before the block is left.

    :raises SystemExit: with exit code 5 if that fails, after one line on standard error.
    """
    stream = sys.stdout
    checked: Any = CheckedOutput(stream)
    sys.stdout = checked
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except OutputError as error:
        print(f"Error: standard output cannot be written: {error.strerror}", file=sys.stderr)
        _drop(stream)
        from patches.scanner.output.exit_codes import ERROR

        sys.exit(ERROR)
    finally:
        sys.stdout = stream


def _drop(stream: TextIO | None) -> None:
    """Drop what is not written: the interpreter would try again at its end, and complain."""
    if stream is not None:
        with suppress(OSError):  # a stream in memory has no descriptor
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
