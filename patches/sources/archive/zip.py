"""
The members of a zip file, one at a time, in memory that does not grow with their number.

``zipfile`` keeps its whole directory in memory, some 577 bytes per member (CPython 3.11): a feed of a million records
would fill the server.

Source: PKWARE's APPNOTE.TXT 6.3.10: the end of central directory record (4.3.16), its Zip64 form (4.3.14, 4.3.15), the
central directory's headers (4.3.12), local headers (4.3.7), and the Zip64 extra field (4.5.3).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from attrs import frozen

_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_LONGEST_COMMENT = 0xFFFF
_MAX_16, _MAX_32 = 0xFFFF, 0xFFFFFFFF
_STORED, _DEFLATED = 0, 8
_ENCRYPTED, _UTF8 = 0x1, 0x800
_BLOCK = 64 * 1024


class BadZip(ValueError):
    """Bytes that are not a zip file, or a damaged one; its text is the reason, in one line."""


@frozen
class Member:
    """
    A member, as the directory describes it.

    :ivar offset: the position of its local header.
    """

    name: str
    method: int
    flags: int
    crc: int
    packed: int
    size: int
    offset: int


def zip_members(file: BinaryIO) -> Iterator[Member]:
    """
    Yield every member of a zip file, in the order of its directory.

    :raises BadZip: if it is not a zip file, or its directory is damaged.
    """
    count, position = _directory(file)
    for _ in range(count):
        file.seek(position)
        fields = _CENTRAL.unpack(_read(file, _CENTRAL.size))
        if fields[0] != b"PK\1\2":
            raise BadZip("its directory is damaged")
        flags, method, crc, packed, size = fields[3], fields[4], fields[7], fields[8], fields[9]
        name, extra = _read(file, fields[10]), _read(file, fields[11])
        position += _CENTRAL.size + fields[10] + fields[11] + fields[12]
        size, packed, offset = _sizes(extra, size, packed, fields[16])
        yield Member(
            name.decode("utf-8" if flags & _UTF8 else "cp437", "backslashreplace"),
            method,
            flags,
            crc,
            packed,
            size,
            offset,
        )


def read_member(file: BinaryIO, member: Member) -> Iterator[bytes]:
    """
    Yield the content of a member in pieces; its length and its checksum are verified at the end.

    :raises BadZip: if it is damaged, or compressed by an unknown method.
    """
    if member.flags & _ENCRYPTED or member.method not in (_STORED, _DEFLATED):
        raise BadZip(f"{member.name} is encrypted, or compressed by an unknown method")
    file.seek(member.offset)
    local = _LOCAL.unpack(_read(file, _LOCAL.size))
    if local[0] != b"PK\3\4":
        raise BadZip(f"{member.name} is not where the directory says")
    file.seek(local[9] + local[10], 1)
    size = crc = 0
    for piece in _unpacked(file, member):
        size, crc = size + len(piece), zlib.crc32(piece, crc)
        yield piece
    if size != member.size or crc != member.crc:
        raise BadZip(f"{member.name} is not what the directory says")


def is_zip(path: Path) -> bool:
    """Return whether a file begins like a zip file."""
    if path.is_dir():
        return False
    with path.open("rb") as file:
        return file.read(4) in (b"PK\3\4", b"PK\5\6")


def _unpacked(file: BinaryIO, member: Member) -> Iterator[bytes]:
    left = member.packed
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS) if member.method == _DEFLATED else None
    while left:
        block = _read(file, min(_BLOCK, left))
        left -= len(block)
        if unpacker is None:
            yield block
            continue
        try:
            while block:
                yield unpacker.decompress(block, _BLOCK)
                block = unpacker.unconsumed_tail
        except zlib.error as error:
            raise BadZip(f"{member.name}: {error}") from error
    if unpacker is not None and not unpacker.eof:
        raise BadZip(f"{member.name} is cut off")


def _directory(file: BinaryIO) -> tuple[int, int]:
    """Return the number of members in the directory, and its position."""
    size = file.seek(0, 2)
    start = max(0, size - _END.size - _LONGEST_COMMENT)
    file.seek(start)
    tail = file.read()
    found = tail.rfind(b"PK\5\6")
    if found < 0 or found + _END.size > len(tail):
        raise BadZip("it is not a zip file, or is cut off")
    fields = _END.unpack_from(tail, found)
    count, offset = fields[4], fields[6]
    if count == _MAX_16 or offset == _MAX_32 or fields[5] == _MAX_32:
        return _directory_64(file, start + found)
    return count, offset


def _directory_64(file: BinaryIO, end: int) -> tuple[int, int]:
    file.seek(max(0, end - _LOCATOR.size))
    locator = _LOCATOR.unpack(_read(file, _LOCATOR.size))
    if locator[0] != b"PK\6\7":
        raise BadZip("its directory is damaged")
    file.seek(locator[2])
    fields = _END_64.unpack(_read(file, _END_64.size))
    if fields[0] != b"PK\6\6":
        raise BadZip("its directory is damaged")
    return fields[7], fields[9]


def _sizes(extra: bytes, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    """Return the sizes and the offset, from the Zip64 extra field where they do not fit into 32 bits."""
    values = [size, packed, offset]
    position = 0
    while position + 4 <= len(extra) and _MAX_32 in values:
        kind, length = struct.unpack_from("<HH", extra, position)
        if kind == 1:
            wide = iter(struct.unpack_from(f"<{length // 8}Q", extra[: position + 4 + length], position + 4))
            values = [next(wide, value) if value == _MAX_32 else value for value in values]
            break
        position += 4 + length
    return values[0], values[1], values[2]


def _read(file: BinaryIO, count: int) -> bytes:
    found = file.read(count)
    if len(found) != count:
        raise BadZip("it is cut off")
    return found
