"""
Parser of the header that rpm stores for each installed package; only a few tags are read.

Source: rpm's file format (``docs/manual/format_header.md``): two 32-bit numbers, the entries of the index, the data.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Mapping

NAME, VERSION, RELEASE, EPOCH = 1000, 1001, 1002, 1003
VENDOR, ARCH, SOURCERPM, MODULARITYLABEL = 1011, 1022, 1044, 5096
_SHA1HEADER, _SHA256HEADER, _IMMUTABLE = 269, 273, 63
_DIGESTS = {_SHA256HEADER: "sha256", _SHA1HEADER: "sha1"}
_TAGS = frozenset((NAME, VERSION, RELEASE, EPOCH, VENDOR, ARCH, SOURCERPM, MODULARITYLABEL, *_DIGESTS))

_INT32, _STRING, _BINARY, _I18N_STRING = 4, 6, 7, 9
_ENTRY, _TRAILER = struct.Struct(">IIII"), struct.Struct(">IIiI")
_MAGIC = bytes.fromhex("8eade80100000000")
_MOST_ENTRIES = 0xFFFF
_MOST_BYTES = 256 * 1024 * 1024


class MalformedHeader(ValueError):
    """
    The bytes are not a valid header.

    :ivar tags: the tags that can be read nevertheless, whose values may be wrong.
    """

    def __init__(self, reason: str, tags: Mapping[int, str]) -> None:
        super().__init__(reason)
        self.tags = tags


def read_header(blob: bytes) -> Mapping[int, str]:
    """
    Return the tags that a :class:`~patches.scanner.inventory.Package` needs, numbers as decimal text.

    :raises MalformedHeader: if the bytes are not a header, are truncated, or do not have the digest that is in them.
    """
    if len(blob) < 8:
        raise MalformedHeader("the header is truncated", {})
    entries, size = struct.unpack_from(">II", blob)
    start = 8 + entries * _ENTRY.size
    if entries > _MOST_ENTRIES or size > _MOST_BYTES:
        raise MalformedHeader("the header is malformed", {})
    problem = None if len(blob) == start + size else "the header is truncated or malformed"
    tags = {}
    for tag, kind, offset, _ in _entries(blob[8:start]):
        value = _value(blob, kind, start + offset, start + size) if tag in _TAGS else ""
        if value is None:
            problem = problem or "a tag is truncated or has the wrong type"
        elif tag in _TAGS:
            tags[tag] = value
    problem = problem or _digest_problem(blob, start, tags)
    if problem is not None:
        raise MalformedHeader(problem, tags)
    return {tag: value for tag, value in tags.items() if tag not in _DIGESTS}


def _entries(index: bytes) -> Iterator[tuple[int, int, int, int]]:
    yield from _ENTRY.iter_unpack(index[: len(index) // _ENTRY.size * _ENTRY.size])


def _value(blob: bytes, kind: int, start: int, end: int) -> str | None:
    if kind == _INT32 and start + 4 <= min(end, len(blob)):
        return str(int.from_bytes(blob[start : start + 4], "big"))
    stop = blob.find(b"\0", start, end) if kind in (_STRING, _I18N_STRING) else -1
    return blob[start:stop].decode("utf-8", "backslashreplace") if stop >= 0 else None


def _digest_problem(blob: bytes, start: int, tags: Mapping[int, str]) -> str | None:
    """
    Return why the header is not the one that was built; ``None`` if it is, or if it has no digest.

    As in rpm (``lib/rpmvs.c``, ``lib/header.c``), the digest is made of the immutable region, with which the header
    begins; its trailer has the length of its index. rpm does not show a package whose digest is wrong.
    """
    digests = {tag: name for tag, name in _DIGESTS.items() if tag in tags}
    if not digests:
        return None
    tag, kind, offset, count = _ENTRY.unpack_from(blob, 8) if start > 8 else (0, 0, 0, 0)
    if (tag, kind, count) != (_IMMUTABLE, _BINARY, _TRAILER.size) or start + offset + _TRAILER.size > len(blob):
        return "the immutable region is malformed"
    length = -_TRAILER.unpack_from(blob, start + offset)[2]
    if not 0 < length <= start - 8:
        return "the immutable region is malformed"
    data = blob[start : start + offset + _TRAILER.size]
    region = _MAGIC + struct.pack(">II", length // _ENTRY.size, len(data)) + blob[8 : 8 + length] + data
    for tag, name in digests.items():
        if hashlib.new(name, region, usedforsecurity=False).hexdigest() != tags[tag].lower():
            return f"its {name.upper()} digest is wrong"
    return None
