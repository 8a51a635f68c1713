"""
One file of a feed, plain or compressed, as a stream that cannot flood its reader.

Theory of operation. What a file is, its first bytes say, not its name. Every decompressor is given so little at a time
that not even a file made for that purpose can make it give more than some 32 MiB at once; and what comes out is counted
against :class:`Limits` while it is read, whatever the headers of the file say.
"""

from __future__ import annotations

import bz2
import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

import zstandard
from attrs import define, frozen

from patches.interfaces import SourceError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_MIB = 1024 * 1024
#: So many bytes are given to a decompressor at once: zstd can make 128 KiB of four.
_MORSEL = 1024
_BUFFER = 64 * 1024
#: A decompressor may need so much for itself.
_WINDOW = 128 * _MIB


@frozen
class Limits:
    """
    What a feed may unpack to; beyond it is refused.

    :ivar member_bytes: of one member of an archive.
    :ivar members: of an archive.
    :ivar total_bytes: of a file, or of all members together.
    :ivar ratio: unpacked to packed. Ubuntu's own archive, the densest that is known, comes near 200.
    :ivar ratio_from: bytes up to which the ratio does not matter.
    """

    member_bytes: int = 64 * _MIB
    members: int = 5_000_000
    total_bytes: int = 64 * 1024 * _MIB
    ratio: int = 1000
    ratio_from: int = 100 * _MIB


@define(eq=False)
class Meter:
    """
    Counts what a feed has unpacked to.

    :ivar packed: the bytes of the file; ``None``: there is nothing to compare with.
    :ivar largest: the bytes that may be read between the beginnings of two members; ``None``: any.
    """

    path: Path
    limits: Limits
    packed: int | None = None
    largest: int | None = None
    total: int = 0
    members: int = 0
    member: int = 0

    def begin(self) -> None:
        """Begin another member."""
        self.members += 1
        self.member = 0
        if self.members > self.limits.members:
            raise SourceError(f"{self.path}: more than {self.limits.members} members")

    def add(self, count: int) -> None:
        """
        Count bytes of the member.

        :raises SourceError: if they are too many.
        """
        self.total += count
        self.member += count
        if self.total > self.limits.total_bytes:
            raise SourceError(f"{self.path}: unpacks to more than {self.limits.total_bytes} bytes")
        if self.largest is not None and self.member > self.largest:
            raise SourceError(f"{self.path}: a member of more than {self.limits.member_bytes} bytes")
        if self.packed is not None and self.total > max(self.limits.ratio_from, self.limits.ratio * self.packed):
            raise SourceError(f"{self.path}: unpacks to more than {self.limits.ratio} times its size")


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /) -> bytes: ...


_FORMATS: dict[bytes, Callable[[], _Decompressor]] = {
    b"\x1f\x8b": lambda: zlib.decompressobj(wbits=31),
    b"BZh": bz2.BZ2Decompressor,
    b"\xfd7zXZ\x00": lambda: lzma.LZMADecompressor(memlimit=_WINDOW),
    b"\x28\xb5\x2f\xfd": lambda: zstandard.ZstdDecompressor(max_window_size=_WINDOW).decompressobj(),
}


class _Frames(io.RawIOBase):
    """What is in a row of compressed frames, of which the last must be whole."""

    def __init__(self, packed: io.RawIOBase, new: Callable[[], _Decompressor]) -> None:
        self._packed = packed
        self._new = new
        self._frame = new()
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        target = memoryview(buffer).cast("B")
        while not self._ready:
            data = self._frame.unused_data if self._frame.eof else b""
            data = data or self._packed.read(_MORSEL) or b""
            if self._frame.eof:
                data = data.lstrip(b"\x00")
                if not data:
                    return 0
                self._frame = self._new()
            elif not data:
                raise EOFError("it ends in the middle")
            self._ready = memoryview(self._frame.decompress(data))
        count = min(len(target), len(self._ready))
        target[:count], self._ready = self._ready[:count], self._ready[count:]
        return count

    def close(self) -> None:
        self._packed.close()
        super().close()


class _Metered(io.RawIOBase):
    """A stream of which every byte is counted, and whose errors are those of a source."""

    def __init__(self, stream: io.RawIOBase, meter: Meter) -> None:
        self._stream = stream
        self._meter = meter

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int | None:
        with decompression_errors(self._meter.path):
            count = self._stream.readinto(buffer)
        self._meter.add(count or 0)
        return count

    def close(self) -> None:
        self._stream.close()
        super().close()


@contextmanager
def decompression_errors(path: Path) -> Iterator[None]:
    """Turn what goes wrong while a file is read into a :class:`SourceError`."""
    try:
        yield
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror or error}") from error
    except (EOFError, zlib.error, lzma.LZMAError, zstandard.ZstdError) as error:
        raise SourceError(f"{path}: damaged: {error}") from error


def open_metered(path: Path, meter: Meter) -> BinaryIO:
    """
    Open a file, plain or compressed with gzip, bzip2, xz or zstd.

    :param meter: counts what is read.
    :raises SourceError: if it cannot be opened; reading raises it if the file is damaged or unpacks to too much.
    """
    with decompression_errors(path):
        file = path.open("rb", buffering=0)
        begins = file.read(8)
        file.seek(0)
    for magic, new in _FORMATS.items():
        if begins.startswith(magic):
            return io.BufferedReader(_Metered(_Frames(file, new), meter), _BUFFER)
    return io.BufferedReader(_Metered(file, meter), _BUFFER)


def open_feed(path: Path, limits: Limits | None = None) -> BinaryIO:
    """
    Open a feed of one file, plain or compressed with gzip, bzip2, xz or zstd: its first bytes tell.

    :raises SourceError: if it cannot be opened; reading raises it if the file is damaged or unpacks to too much.
    """
    with decompression_errors(path):
        packed = path.stat().st_size
    return open_metered(path, Meter(path, limits or Limits(), packed))
