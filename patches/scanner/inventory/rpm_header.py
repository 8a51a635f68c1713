"""
Parser of the header that rpm stores for each installed package; only a few tags are read.

Source: rpm's file format (``docs/manual/format_header.md``): two 32-bit numbers, the entries of the index, the data.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

NAME, VERSION, RELEASE, EPOCH = 1000, 1001, 1002, 1003
VENDOR, ARCH, SOURCERPM, MODULARITYLABEL = 1011, 1022, 1044, 5096
_TAGS = frozenset((NAME, VERSION, RELEASE, EPOCH, VENDOR, ARCH, SOURCERPM, MODULARITYLABEL))

_INT32, _STRING, _I18N_STRING = 4, 6, 9
_ENTRY = struct.Struct(">IIII")
_MOST_ENTRIES = 0xFFFF
_MOST_BYTES = 256 * 1024 * 1024


class MalformedHeader(ValueError):
    """The bytes are not a valid header."""


def read_header(blob: bytes) -> Mapping[int, str]:
    """
    Return the tags that a :class:`~patches.scanner.inventory.Package` needs, numbers as decimal text.

    :raises MalformedHeader: if the bytes are not a header, or are truncated.
    """
    if len(blob) < 8:
        raise MalformedHeader("the header is truncated")
    entries, size = struct.unpack_from(">II", blob)
    start = 8 + entries * _ENTRY.size
    if entries > _MOST_ENTRIES or size > _MOST_BYTES or len(blob) < start + size:
        raise MalformedHeader("the header is truncated or malformed")
    tags = {}
    for tag, kind, offset, _ in _ENTRY.iter_unpack(blob[8:start]):
        if tag in _TAGS:
            tags[tag] = _value(blob, kind, start + offset, start + size)
    return tags


def _value(blob: bytes, kind: int, start: int, end: int) -> str:
    if kind == _INT32 and start + 4 <= end:
        return str(int.from_bytes(blob[start : start + 4], "big"))
    stop = blob.find(b"\0", start, end) if kind in (_STRING, _I18N_STRING) else -1
    if stop < 0:
        raise MalformedHeader("a tag is truncated or has the wrong type")
    return blob[start:stop].decode("utf-8", "backslashreplace")
