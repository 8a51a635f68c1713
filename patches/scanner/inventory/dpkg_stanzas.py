"""
Parser of dpkg's files of stanzas. A damaged stanza is returned with its problem, and reading goes on behind it.

Source: deb822(5), Policy 5.1 for the names of fields, and dpkg's ``lib/dpkg/parse.c`` (``parse_stanza``) where dpkg
accepts more: it is the measure of what is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import BinaryIO

from attrs import define, field

from patches.scanner.inventory import InventoryError

LONGEST_LINE = 1024 * 1024
MOST_FIELDS = 1000
#: A run of so many zero bytes is no damage of one stanza: packages may be lost in it, as after a failure of a disk.
HOLE = bytes(64)
#: The fields whose values are kept.
READ = frozenset((b"package", b"status", b"architecture", b"source", b"version", b"origin", b"multi-arch"))

_FIELD = re.compile(rb"([^\s:\0-][^\s:\0]*)[ \t\r\v\f]*:(.*)\Z", re.DOTALL)
_BLANKS = b" \t\r\v\f"
_LONGEST_VALUE = 4096


class End(Enum):
    """The end of a stanza: what follows its last line."""

    EMPTY_LINE = "an empty line"
    FILE = "the end of the file"
    MIDDLE = "nothing: the file ends within the line"


@define(eq=False)
class Stanza:
    """
    A stanza, as far as it can be read.

    :ivar line: the number of its first line.
    :ivar last: the number of its last line.
    :ivar fields: the value of each field by its name in lower case; empty for fields that are not :data:`READ`.
    :ivar problem: the first damage that was found in it, with its line; ``None`` if it has none.
    :ivar current: the name of the field of its last line.
    :ivar end: how it ends.
    """

    line: int
    last: int = 0
    fields: dict[bytes, bytes] = field(factory=dict)
    problem: str | None = None
    current: bytes = b""
    end: End = End.EMPTY_LINE

    def text(self, name: bytes) -> str:
        """Return the value of a field; it is empty if the field is absent."""
        return self.fields.get(name, b"").decode("utf-8", "backslashreplace")


@define(eq=False)
class StanzaReader:
    """
    A reader of one file of stanzas.

    :ivar path: the name of the file in messages.
    """

    path: str
    _number: int = 0
    _stanza: Stanza | None = None

    def stanzas(self, lines: BinaryIO) -> Iterator[Stanza]:
        """
        Yield the stanzas.

        :raises InventoryError: if this is not a file of stanzas, or packages may be missing in it.
        """
        line = b"\n"
        for line in self._lines(lines):
            if line in (b"\n", b"\r\n"):
                yield from self._end(End.EMPTY_LINE)
            elif line[0] in _BLANKS:
                self._continue(line)
            else:
                yield from self._take(line)
        yield from self._end(End.FILE if line.endswith(b"\n") else End.MIDDLE)

    def damage(self, what: str) -> InventoryError:
        """Return the error that this file is damaged at the current line."""
        return InventoryError(f"{self.path}, line {self._number}: {what}")

    def _lines(self, lines: BinaryIO) -> Iterator[bytes]:
        while line := lines.readline(LONGEST_LINE + 1):
            self._number += 1
            if len(line) > LONGEST_LINE:
                raise self.damage("the line is too long")
            if HOLE in line or (self._number == 1 and b"\0" in line):
                raise self.damage("binary data")
            yield line

    def _end(self, end: End) -> Iterator[Stanza]:
        if self._stanza is not None:
            self._stanza.end, self._stanza.last = end, self._number
            yield self._stanza
        self._stanza = None

    def _open(self) -> Stanza:
        if self._stanza is None:
            self._stanza = Stanza(self._number)
        return self._stanza

    def _broken(self, what: str) -> None:
        stanza = self._open()
        stanza.problem = stanza.problem or f"line {self._number}: {what}"
        stanza.current = b""

    def _continue(self, line: bytes) -> None:
        """Add a line to the value of the current field. As in dpkg, a line of blanks is such a line."""
        if self._stanza is None and line.isspace():
            return
        stanza = self._open()
        if not stanza.fields:
            self._broken("a continuation line without a field")
        elif stanza.current in READ and len(stanza.fields[stanza.current]) < _LONGEST_VALUE:
            value = stanza.fields[stanza.current] + b"\n" + line.strip()
            stanza.fields[stanza.current] = value.strip()[:_LONGEST_VALUE]

    def _take(self, line: bytes) -> Iterator[Stanza]:
        match = _FIELD.match(line)
        if not match:
            self._broken("not a field")
            return
        name = match[1].lower()
        if name == b"package" and name in self._open().fields:
            self._broken("the next package begins within the stanza")
            yield from self._end(End.EMPTY_LINE)
        self._add(name, match[2].strip())

    def _add(self, name: bytes, value: bytes) -> None:
        stanza = self._open()
        if name in stanza.fields:
            self._broken(f"the field is repeated: {name[:80].decode('utf-8', 'backslashreplace')}")
        elif len(stanza.fields) == MOST_FIELDS:
            raise self.damage("the stanza has too many fields")
        else:
            stanza.current = name
            stanza.fields[name] = value[:_LONGEST_VALUE] if name in READ else b""
