"""A compressed body that is read like any other: unpacked bit by bit, up to a limit, and from its beginning again."""

from __future__ import annotations

import gzip
import zlib
from typing import Any, BinaryIO

from patches.reporter.fields import MalformedReport


class UnpackedBody:
    """
    The content of a gzip file.

    :param packed: the file.
    :param most: the longest content, in bytes; it is longer only in a body that is made to fill a disk or a memory.
    """

    def __init__(self, packed: BinaryIO, most: int) -> None:
        self._packed = packed
        self._most = most
        self._file: Any = None
        self._size = 0

    def seek(self, position: int) -> int:
        """Go back to the beginning."""
        self._packed.seek(0)
        self._file = gzip.GzipFile(mode="rb", fileobj=self._packed)
        self._size = 0
        return position

    def read(self, size: int) -> bytes:
        """
        Read the next bytes.

        :raises MalformedReport: if it is not gzip, is cut off, or is too long.
        """
        try:
            data: bytes = self._file.read(size)
        except (OSError, EOFError, zlib.error) as error:
            raise MalformedReport("the body is not gzip") from error
        self._size += len(data)
        if self._size > self._most:
            raise MalformedReport(f"the body is longer than {self._most} bytes unpacked")
        return data

    def close(self) -> None:
        """Close the file."""
        self._packed.close()
