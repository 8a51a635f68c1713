"""
Reading of apt's package lists, which may be compressed (``Acquire::GzipIndexes``), damaged or hostile.

A list is read as far as that is possible, in bounded memory. The forms that the standard library unpacks are read: gz,
bz2 and xz. Lists in other forms, such as lz4, are skipped.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from attrs import define

from patches.scanner.inventory.rootfs import open_inside

LONGEST_LINE = 64 * 1024
#: The most bytes of all lists of a host, unpacked. Those of Ubuntu with all its parts have some 150 MiB.
MOST_BYTES = 1024 * 1024 * 1024

#: The endings of names of lists that cannot be read.
OTHER_FORMS = (".lz4", ".zst", ".lzma")

_BLOCK = 64 * 1024
#: ``xz -9`` needs 65 MiB.
_MOST_XZ_MEMORY = 128 * 1024 * 1024


@define(eq=False)
class Lists:
    """The lists of one host: files in one folder, which share a limit."""

    root: Path
    folder: str
    _left: int = MOST_BYTES

    def lines(self, name: str) -> Iterator[bytes]:
        """Yield the lines of a list, as far as it can be read; long lines in pieces."""
        if name.endswith(OTHER_FORMS):
            return
        try:
            with open_inside(self.root, f"{self.folder}/{name}") as file, _unpacked(file, name) as lines:
                while self._left > 0 and (line := lines.readline(LONGEST_LINE)):
                    self._left -= len(line)
                    yield line
        except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError):
            return


def _unpacked(file: BinaryIO, name: str) -> gzip.GzipFile | bz2.BZ2File | io.BufferedReader | BinaryIO:
    if name.endswith(".gz"):
        return gzip.open(file)
    if name.endswith(".bz2"):
        return bz2.open(file)
    return io.BufferedReader(_XzFile(file), _BLOCK) if name.endswith(".xz") else file


class _XzFile(io.RawIOBase):
    """
    The content of an xz file, in bounded memory.

    A file names the memory that it needs, up to 4 GiB; :func:`lzma.open` knows no limit.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._unpacker = lzma.LZMADecompressor(lzma.FORMAT_XZ, _MOST_XZ_MEMORY)

    def readable(self) -> bool:
        """Return ``True``."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Unpack a piece. Return its length; 0 at the end."""
        unpacked = b""
        while not unpacked and not self._unpacker.eof:
            packed = self._file.read(_BLOCK) if self._unpacker.needs_input else b""
            if self._unpacker.needs_input and not packed:
                raise EOFError("the file is truncated")
            unpacked = self._unpacker.decompress(packed, len(buffer))
        buffer[: len(unpacked)] = unpacked
        return len(unpacked)
