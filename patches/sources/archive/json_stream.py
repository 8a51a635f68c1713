"""
A JSON document that is parsed while it is read, with ceilings for one string and for one record.

The parser of a stream keeps a string until its end has come, and the objects of a record until the record is complete:
without ceilings, a small compressed file fills the memory with either.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Protocol

import ijson

from patches.errors import SourceError
from patches.sources.parse_context import ParseContext

#: The longest string. The longest of the known feeds, a description in Debian's tracker, has some thousand characters.
LONGEST_STRING = 1024 * 1024
#: The largest record. The largest known is the kernel in Debian's tracker, with some 11 MB of the tracker's 71.
LARGEST_RECORD = 32 * 1024 * 1024

#: A quotation mark that is not escaped. After an escaped backslash one is missed: a string then counts as longer.
_QUOTE = re.compile(rb'(?<!\\)"')


class Readable(Protocol):
    """A stream of bytes."""

    def read(self, size: int = -1, /) -> bytes:
        """Read at most so many bytes; none at the end."""


class BoundedJson:
    """
    Reads a document and counts the bytes of its strings and records.

    :param longest_string: in bytes, as are the strings between two others.
    :param largest_record: in bytes.
    """

    def __init__(
        self, stream: Readable, longest_string: int = LONGEST_STRING, largest_record: int = LARGEST_RECORD
    ) -> None:
        self._stream = stream
        self._longest_string = longest_string
        self._largest_record = largest_record
        self._string = 0
        self._record = 0
        self._before = b""

    def begin(self) -> None:
        """Begin the next record."""
        self._record = 0

    def read(self, size: int = -1) -> bytes:
        """
        Read bytes.

        :raises SourceError: if a string or a record is too long.
        """
        block = self._stream.read(size)
        self._record += len(block)
        if self._record > self._largest_record:
            raise SourceError(f"one record of it is longer than {self._largest_record} bytes")
        if _QUOTE.search(self._before + block, len(self._before)) is None:
            self._string += len(block)
        else:
            self._string = len(block) - block.rfind(b'"')
        self._before = block[-1:]
        if self._string > self._longest_string:
            raise SourceError(f"a string, or what is between two, is longer than {self._longest_string} bytes")
        return block


def items_of(
    stream: Readable, context: ParseContext, member: str, what: str, count: str, map_type: type[dict[str, Any]] = dict
) -> Iterator[Any]:
    """
    Yield the elements of a list in a document, one at a time, each bounded; then note how many the document announces.

    :param member: the name of the list in the document, which must have it near its beginning.
    :param what: the document, for an error.
    :param count: the name of the member that announces the number.
    :param map_type: the type of the objects.
    :raises SourceError: if the document is not JSON, ends early, or has no such list.
    """
    headed = Headed(stream)
    bounded = BoundedJson(headed)
    try:
        for item in context.counted(ijson.items(bounded, f"{member}.item", map_type=map_type)):
            bounded.begin()
            yield item
    except ijson.JSONError as error:
        raise SourceError(f"not JSON: {str(error).splitlines()[0].strip()}") from error
    if re.search(rb'"%s"\s*:\s*\[' % member.encode(), headed.head) is None:
        raise SourceError(f"it is not {what}: it has no {member}")
    announced = re.search(rb'"%s"\s*:\s*(\d{1,9})\b' % count.encode(), headed.head)
    context.claimed = int(announced[1]) if announced is not None else None


class Headed:
    """
    A stream that remembers its first block: what a document says about itself before its records.

    :ivar head: the first block; empty until it was read.
    """

    def __init__(self, stream: Readable) -> None:
        self.head = b""
        self._stream = stream

    def read(self, size: int = -1, /) -> bytes:
        """Read bytes."""
        block = self._stream.read(size)
        self.head = self.head or block
        return block
