"""
A JSON document that is parsed while it is read, with ceilings for one string and for one record.

The parser of a stream keeps a string until its end has come, and the objects of a record until the record is complete:
without ceilings, a small compressed file fills the memory with either.
"""

from __future__ import annotations

import re
from typing import Protocol

from patches.errors import SourceError

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
