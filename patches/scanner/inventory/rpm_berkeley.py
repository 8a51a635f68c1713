"""
Parser of rpm's database as a hash of Berkeley DB (``Packages``), which rpm used before version 4.16.

Source: rpm's ``lib/backend/bdb_ro.c``. Numbers are of the byte order of the machine that wrote the file. A page has a
head of 26 bytes and offsets of its items: keys and values in turns, from the end of the page to its beginning. A value
that is too long for a page is in a chain of pages of its own.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import BinaryIO

from attrs import define, field

from patches.scanner.inventory import InventoryError

_HASH = 0x00061561
_META_BYTES, _HEAD_BYTES = 512, 26
_ON_PAGE, _ELSEWHERE = 1, 3
_HASH_PAGES, _OVERFLOW_PAGE = (2, 8, 13), 7


class _DamagedPage(ValueError):
    """A page that is not what its place demands."""


def read_berkeley(file: BinaryIO, shown: str, largest_blob: int) -> Iterator[tuple[int, bytes | None]]:
    """
    Yield the number and the blob of each header; ``None`` if the blob is damaged.

    :param shown: the name of the file in messages.
    :raises InventoryError: if the file is no such hash, is truncated, or a page of its index is damaged.
    """
    meta = file.read(_META_BYTES)
    order = next((order for order in "<>" if meta[12:16] == struct.pack(f"{order}I", _HASH)), None)
    if order is None or len(meta) < _META_BYTES:
        raise InventoryError(f"{shown}: not a hash of Berkeley DB")
    numbers = struct.unpack(f"{order}128I", meta)
    pages = _Pages(file, order, page_bytes=numbers[5], last=numbers[8], largest_blob=largest_blob)
    if not 8 <= numbers[4] <= 10 or pages.page_bytes not in (1 << power for power in range(9, 17)):
        raise InventoryError(f"{shown}: an unknown version of Berkeley DB")
    if (pages.last + 1) * pages.page_bytes > os.fstat(file.fileno()).st_size:
        raise InventoryError(f"{shown}: the database is truncated")
    try:
        for key, value in pages.items(last_bucket=numbers[18], spares=numbers[24:56]):
            number = struct.unpack(f"{order}I", key)[0] if len(key) == 4 else 0
            if number:  # the value of 0 is the number of the next header
                yield number, value
    except _DamagedPage as error:
        raise InventoryError(f"{shown}: {error}") from error


@define(eq=False)
class _Pages:
    """The pages of a file. Each belongs to one chain, so none is read twice."""

    file: BinaryIO
    order: str
    page_bytes: int
    last: int
    largest_blob: int
    _seen: set[int] = field(factory=set)

    def items(self, last_bucket: int, spares: tuple[int, ...]) -> Iterator[tuple[bytes, bytes | None]]:
        """Yield the keys and values of all buckets."""
        if last_bucket > self.last:
            raise _DamagedPage("the number of buckets is damaged")
        for bucket in range(last_bucket + 1):
            number = bucket + spares[min(bucket.bit_length(), 31)]
            while number:
                page = self._page(number, _HASH_PAGES)
                yield from self._items_of(page)
                number = self._number(page, 16)

    def _page(self, number: int, kinds: tuple[int, ...]) -> bytes:
        if not 0 < number <= self.last or number in self._seen:
            raise _DamagedPage(f"page {number} is not of the database, or in two places of it")
        self.file.seek(number * self.page_bytes)
        page = self.file.read(self.page_bytes)
        if len(page) < self.page_bytes or self._number(page, 8) != number or page[25] not in kinds:
            raise _DamagedPage(f"page {number} is damaged")
        self._seen.add(number)
        return page

    def _number(self, page: bytes, offset: int) -> int:
        return int(struct.unpack_from(f"{self.order}I", page, offset)[0])

    def _items_of(self, page: bytes) -> Iterator[tuple[bytes, bytes | None]]:
        (count,) = struct.unpack_from(f"{self.order}H", page, 20)
        if _HEAD_BYTES + 2 * count > len(page) or count % 2:
            raise _DamagedPage("the number of items of a page is damaged")
        offsets = struct.unpack_from(f"{self.order}{count}H", page, _HEAD_BYTES)
        ends = (len(page), *offsets[:-1])
        if any(start >= end for start, end in zip(offsets, ends, strict=True)):
            raise _DamagedPage("the items of a page are damaged")
        items = [page[start:end] for start, end in zip(offsets, ends, strict=True)]
        for key, value in zip(items[::2], items[1::2], strict=True):
            if key[0] != _ON_PAGE:
                raise _DamagedPage("a key is damaged")
            yield key[1:], self._value(value)

    def _value(self, item: bytes) -> bytes | None:
        if item[0] == _ON_PAGE:
            return item[1:]
        if item[0] != _ELSEWHERE or len(item) != 12:
            return None
        number, left = self._number(item, 4), self._number(item, 8)
        parts = []
        try:
            while 0 < left <= self.largest_blob:
                page = self._page(number, (_OVERFLOW_PAGE,))
                (length,) = struct.unpack_from(f"{self.order}H", page, 22)
                if not 0 < length <= min(left, self.page_bytes - _HEAD_BYTES):
                    return None
                parts.append(page[_HEAD_BYTES : _HEAD_BYTES + length])
                left -= length
                number = self._number(page, 16)
        except _DamagedPage:
            return None
        return b"".join(parts) if parts and not left else None
