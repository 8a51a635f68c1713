"""
Parser of a JSON object that is read from a file, of which one member may be a list of any length.

The list is parsed item by item, the other members one by one, and each of these values is limited: what is in memory is
one value and one block of the file, whatever the file has. The depth of a value is limited by Python's parser, which
refuses one that is some hundred levels deep.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO, NoReturn

from attrs import frozen

from patches.reporter.fields import MalformedReport
from patches.wire import DECODER, MalformedJson

_BLOCK = 64 * 1024
_BLANKS = re.compile(r"[ \t\n\r]*")
#: The longest item of the list, and the longest other member, in characters. Findings have some 700.
LONGEST_ITEM = 256 * 1024
LONGEST_MEMBER = 4 * 1024 * 1024
#: The most members beside the list, and the most items of the list.
MOST_MEMBERS = 64
MOST_ITEMS = 500_000


@frozen
class ListItem:
    """
    An item of the list.

    :ivar number: its place, from 0.
    """

    number: int
    value: Any


@frozen
class ObjectMember:
    """A member of the object; the list, whose items have been yielded before it, is empty."""

    name: str
    value: Any


def parse_object(file: BinaryIO, listed: str) -> Iterator[ListItem | ObjectMember]:
    """
    Yield the parts of the object in a file, from its beginning; blocks.

    :param listed: the name of the member that may be a list of any length.
    :raises MalformedReport: if it is not such an object, or exceeds a limit. NaN and infinity are no JSON.
    """
    file.seek(0)
    text = _Text(file)
    if text.peek() != "{":
        text.refuse("the body must be a JSON object" if text.is_value() else "the body is not JSON")
    names: set[str] = set()
    for _ in text.items("{", "}"):
        name = text.value(LONGEST_ITEM)
        if not isinstance(name, str) or text.peek() != ":":
            text.refuse()
        text.skip()
        if name in names:
            text.refuse("a member is there twice")
        if len(names) >= MOST_MEMBERS:
            text.refuse(f"the body has more than {MOST_MEMBERS} members")
        names.add(name)
        if name == listed and text.peek() == "[":
            yield from _items(text)
            yield ObjectMember(name, [])
        else:
            yield ObjectMember(name, text.value(LONGEST_MEMBER))
    if text.peek():
        text.refuse()


def _items(text: _Text) -> Iterator[ListItem]:
    for number in text.items("[", "]"):
        if number >= MOST_ITEMS:
            text.refuse(f"a list has more than {MOST_ITEMS} entries")
        yield ListItem(number, text.value(LONGEST_ITEM))


class _Text:
    """The text of a file, of which only what is not parsed yet is in memory."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._decode = DECODER.raw_decode
        self._text = ""
        self._at = 0
        self._ended = False

    def items(self, opening: str, closing: str) -> Iterator[int]:
        """Yield the number of each item between brackets, at its beginning; the caller reads it."""
        if self.peek() != opening:
            self.refuse()
        self.skip()
        number = 0
        while self.peek() != closing or number:
            yield number
            number += 1
            after = self.peek()
            if after == closing:
                break
            if after != ",":
                self.refuse()
            self.skip()
        self.skip()

    def peek(self) -> str:
        """Return the next character that is no blank; empty at the end."""
        while True:
            found = _BLANKS.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if self._ended:
                return ""
            self._more()

    def skip(self) -> None:
        """Skip the next character."""
        self._at += 1

    def value(self, longest: int) -> Any:
        """Parse the next value."""
        self.peek()
        while True:
            try:
                found, end = self._decode(self._text, self._at)
            except RecursionError:
                self.refuse()
            except MalformedJson as error:
                self.refuse(f"the body is refused: {error}")
            except json.JSONDecodeError:
                if self._ended:
                    self.refuse()
                end = len(self._text) + 1
            except ValueError:
                self.refuse()
            if min(end, len(self._text)) - self._at > longest:
                self.refuse(f"a value is longer than {longest} characters")
            if end < len(self._text) or (self._ended and end == len(self._text)):
                self._at = end
                return found
            self._more()

    def is_value(self) -> bool:
        """Return whether the rest is one value."""
        self.value(LONGEST_ITEM)
        return not self.peek()

    def refuse(self, reason: str = "the body is not JSON") -> NoReturn:
        """Raise the reason."""
        raise MalformedReport(reason)

    def _more(self) -> None:
        block = self._file.read(_BLOCK)
        self._ended = not block
        try:
            more = self._decoder.decode(block, final=self._ended)
        except UnicodeDecodeError:
            self.refuse()
        self._text = self._text[self._at :] + more
        self._at = 0
