"""The number of vulnerabilities that a new list adds, changes and withdraws, counted while it is written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby

from attrs import define

from patches.server.errors import CatalogueError
from patches.vulnerability import FOLLOWED

#: The beginning of a line: the name is the first member. It need not be decoded to be compared with another.
_NAME = re.compile(rb'\{"name":"((?:[^"\\]|\\.)*)"')


@define(eq=False)
class ChangeCount:
    """
    The changes from one list to the next, by name of vulnerability.

    :ivar is_known: whether the list before could be read.
    :ivar is_first: whether there was no list before.
    """

    added: int = 0
    changed: int = 0
    withdrawn: int = 0
    is_known: bool = True
    is_first: bool = False

    def __str__(self) -> str:
        if self.is_first or not self.is_known:
            return "the first list" if self.is_first else "the changes are not known"
        return f"{self.added} added, {self.changed} changed, {self.withdrawn} withdrawn"

    def counted(self, old: Iterable[bytes], new: Iterable[bytes]) -> Iterator[bytes]:
        """
        Yield the lines of the new list, and count its changes.

        :param old: the lines of the current list; both are ordered by name.
        """
        before = self._readable(old)
        was = next(before, None)
        for name, lines in _by_name(new):
            while was is not None and was[0] < name:
                self.withdrawn += 1
                was = next(before, None)
            if was is not None and was[0] == name:
                self.changed += was[1] != lines
                was = next(before, None)
            else:
                self.added += name != FOLLOWED.encode()
            yield from lines
        self.withdrawn += sum(1 for _ in before) + (was is not None)

    def _readable(self, old: Iterable[bytes]) -> Iterator[tuple[bytes, list[bytes]]]:
        """Yield the names and lines of the current list; if it is damaged, its changes are not known."""
        try:
            yield from (group for group in _by_name(old) if group[0] != FOLLOWED.encode())
        except CatalogueError:
            self.is_known = False


def _by_name(lines: Iterable[bytes]) -> Iterator[tuple[bytes, list[bytes]]]:
    for name, group in groupby(lines, _name):
        yield name, list(group)


def _name(line: bytes) -> bytes:
    found = _NAME.match(line)
    return found[1] if found is not None else b""
