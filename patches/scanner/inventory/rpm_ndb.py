"""
Parser of rpm's database in the format ndb (``Packages.db``), which SUSE uses.

Source: rpm's ``lib/backend/ndb/rpmpkg.c``. Numbers are little-endian. A head of 32 bytes and slots of 16 bytes fill the
first pages; a slot has the number of a header, and where its blob is, in blocks of 16 bytes. Around the blob are a head
and a tail, which have its length.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from attrs import frozen

from patches.scanner.inventory import MOST_PACKAGES, InventoryError

_HEAD = struct.Struct("<4sIIII")
_SLOT = struct.Struct("<4sIII")
_BLOB_HEAD, _BLOB_TAIL = struct.Struct("<4sIII"), struct.Struct("<II4s")
_START, _PAGE, _BLOCK = 32, 4096, 16


@frozen
class _Slot:
    """Where the blob of a header is: its first block, and the count of blocks."""

    number: int
    first: int
    blocks: int


def read_ndb(file: BinaryIO, shown: str, largest_blob: int) -> Iterator[tuple[int, bytes | None]]:
    """
    Yield the number and the blob of each header; ``None`` if the blob is damaged.

    :param shown: the name of the file in messages.
    :raises InventoryError: if the file is truncated, or its slots are damaged.
    """
    for slot in sorted(_slots(file, shown), key=lambda each: each.first):
        yield slot.number, _blob(file, slot) if slot.blocks * _BLOCK <= largest_blob else None


def _slots(file: BinaryIO, shown: str) -> list[_Slot]:
    head = file.read(_START)
    size = file.seek(0, 2)
    if len(head) < _START or not head.startswith(b"RpmP"):
        raise InventoryError(f"{shown}: not an ndb database")
    _, version, _, pages, _ = _HEAD.unpack_from(head)
    if version != 0 or size % _BLOCK or not 0 < pages <= min(size, MOST_PACKAGES * _SLOT.size) // _PAGE:
        raise InventoryError(f"{shown}: the database is truncated, or of another version")
    file.seek(_START)
    found = []
    for magic, number, first, blocks in _SLOT.iter_unpack(file.read(pages * _PAGE - _START)):
        if magic != b"Slot":
            raise InventoryError(f"{shown}: a slot is damaged")
        if first:
            found.append(_Slot(number, first, blocks))
            if not number or not blocks or first < pages * _PAGE // _BLOCK or (first + blocks) * _BLOCK > size:
                raise InventoryError(f"{shown}: the database is truncated, or a slot is damaged")
    if sum(slot.blocks for slot in found) * _BLOCK > size:
        raise InventoryError(f"{shown}: slots overlap")
    return found


def _blob(file: BinaryIO, slot: _Slot) -> bytes | None:
    file.seek(slot.first * _BLOCK)
    content = file.read(slot.blocks * _BLOCK)
    if len(content) < _BLOB_HEAD.size + _BLOB_TAIL.size:
        return None
    magic, number, _, length = _BLOB_HEAD.unpack_from(content)
    _, again, end = _BLOB_TAIL.unpack_from(content, len(content) - _BLOB_TAIL.size)
    blocks = -(-(_BLOB_HEAD.size + length + _BLOB_TAIL.size) // _BLOCK)
    is_whole = (magic, number, blocks, again, end) == (b"BlbS", slot.number, slot.blocks, length, b"BlbE")
    return content[_BLOB_HEAD.size : _BLOB_HEAD.size + length] if is_whole else None
