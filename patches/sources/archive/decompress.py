"""
One file of a feed, plain or compressed, as a stream that cannot flood its reader.

Theory of operation. The first bytes of a file determine its format, not its name. A decompressor receives so little
data at a time that not even a malicious file can make it return more than about 32 MiB at once; and its output is
counted against :class:`UnpackLimits` while it is read, whatever the headers of the file claim.
"""

from __future__ import annotations

import bz2
import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

import zstandard
from attrs import define, frozen

from patches.errors import SourceError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_MIB = 1024 * 1024
#: The number of bytes given to a decompressor at once: zstd can expand four bytes to 128 KiB.
_MORSEL = 1024
_BUFFER = 64 * 1024


@frozen
class UnpackLimits:
    """
    The limits of a decompressed feed; a feed that exceeds one is refused.

    :ivar member_bytes: the size of one member of an archive. The largest known, an advisory for many products, has
        some MiB; parsed, it takes several times its size.
    :ivar members: the number of members of an archive.
    :ivar total_bytes: the size of a file, or of all members together.
    :ivar ratio: the decompressed size over the compressed one. Ubuntu's own archive, the densest known, is near 200.
    :ivar ratio_from: the number of bytes up to which the ratio is not checked.
    :ivar dictionary_bytes: the memory that a decompressor may need for itself. The feeds need 8 MiB: that of ``xz -6``,
        and of zstd up to level 19.
    """

    member_bytes: int = 16 * _MIB
    members: int = 5_000_000
    total_bytes: int = 64 * 1024 * _MIB
    ratio: int = 1000
    ratio_from: int = 100 * _MIB
    dictionary_bytes: int = 16 * _MIB


@define(eq=False)
class Meter:
    """
    Counts the decompressed bytes of a feed.

    :ivar packed: the size of the file; ``None``: the ratio is not checked.
    :ivar largest: the number of bytes that may be read between the beginnings of two members; ``None``: no limit.
    """

    path: Path
    limits: UnpackLimits
    packed: int | None = None
    largest: int | None = None
    total: int = 0
    members: int = 0
    member: int = 0

    def begin(self) -> None:
        """Begin the next member."""
        self.members += 1
        self.member = 0
        if self.members > self.limits.members:
            raise SourceError(f"{self.path}: more than {self.limits.members} members")

    def add(self, count: int) -> None:
        """
        Count bytes of the member.

        :raises SourceError: if a limit is exceeded.
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


#: Created with the memory that each may need for itself; gzip and bzip2 need little.
_DECOMPRESSORS: dict[bytes, Callable[[int], _Decompressor]] = {
    b"\x1f\x8b": lambda most: zlib.decompressobj(wbits=31),
    b"BZh": lambda most: bz2.BZ2Decompressor(),
    b"\xfd7zXZ\x00": lambda most: lzma.LZMADecompressor(memlimit=most),
    b"\x28\xb5\x2f\xfd": lambda most: zstandard.ZstdDecompressor(max_window_size=most).decompressobj(),
}


class _Frames(io.RawIOBase):
    """The content of consecutive compressed frames, the last of which must be complete."""

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
                # Zeros after a frame are padding, as gzip and xz files may have.
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
    """A stream that counts every byte and converts errors to :class:`SourceError`."""

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
    """Convert the errors of reading and decompressing a file to :class:`SourceError`."""
    try:
        yield
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror or error}") from error
    except (EOFError, zlib.error, lzma.LZMAError, zstandard.ZstdError) as error:
        raise SourceError(f"{path}: damaged: {error}") from error


def open_metered(path: Path, meter: Meter) -> BinaryIO:
    """
    Open a file, plain or compressed with gzip, bzip2, xz or zstd.

    :param meter: counts the decompressed bytes.
    :raises SourceError: if it cannot be opened; reading raises it if the file is damaged or exceeds its limits.
    """
    with decompression_errors(path):
        file = path.open("rb", buffering=0)
        begins = file.read(8)
        file.seek(0)
    for magic, new in _DECOMPRESSORS.items():
        if begins.startswith(magic):
            return io.BufferedReader(
                _Metered(_Frames(file, partial(new, meter.limits.dictionary_bytes)), meter), _BUFFER
            )
    return io.BufferedReader(_Metered(file, meter), _BUFFER)


def open_feed(path: Path, limits: UnpackLimits | None = None) -> BinaryIO:
    """
    Open a feed of one file, plain or compressed with gzip, bzip2, xz or zstd: its first bytes determine which.

    :raises SourceError: if it cannot be opened; reading raises it if the file is damaged or exceeds its limits.
    """
    with decompression_errors(path):
        packed = path.stat().st_size
    return open_metered(path, Meter(path, limits or UnpackLimits(), packed))
