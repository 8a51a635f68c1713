"""
Several sources' lists of one platform, made one.

A source of a lower rank (a vendor's own) goes before the others. What it says of a flaw in a package holds: that it is
not affected, or in which version it is fixed. What another source says to the contrary is left out; what it says as
well, or of something else, stays, and every record keeps its source.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from attrs import evolve

from patches.storage.scratch import open_scratch
from patches.vulnerability import FixedPackage, Vulnerability
from patches.wire import encode_line, from_wire

#: A source's records of a platform, ordered by name; can be asked for again.
Lines = Callable[[], Iterable[tuple[str, bytes]]]


def merge(lists: Sequence[Lines], scratch: Path) -> Iterator[bytes]:
    """
    Merge the lists of one platform.

    :param lists: the sources' lists, the one that goes before the others first.
    :param scratch: where a scratch file may be; it is gone at the end.
    :return: the lines, ordered by name, and then as the lists are.
    """
    if len(lists) == 1:
        yield from (line for _, line in lists[0]())
        return
    statements = StatementStore(scratch)
    try:
        for number, lines in enumerate(lists[:-1]):
            statements.note(number, lines())
        told = [statements.uncontradicted(number, lines()) for number, lines in enumerate(lists)]
        for _, _, line in heapq.merge(*told, key=lambda row: row[:2]):
            yield line
    finally:
        statements.close()


class StatementStore:
    """
    What was said of flaws in packages, in a scratch file; everything here blocks.

    :param path: whatever is there is thrown away.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._database = open_scratch(path)
        self._database.execute(
            "CREATE TABLE said (flaw TEXT, package TEXT, number INTEGER, said TEXT,"
            " PRIMARY KEY (flaw, package, number, said)) WITHOUT ROWID"
        )

    def note(self, number: int, lines: Iterable[tuple[str, bytes]]) -> None:
        """Note what the list of this number says."""
        rows = (
            (vulnerability_id, _package(fixed), number, _said(fixed))
            for _, line in lines
            for vulnerability in [from_wire(json.loads(line))]
            for vulnerability_id in vulnerability.flaws
            for fixed in vulnerability.fixed_in
        )
        self._database.execute("BEGIN")
        self._database.executemany("INSERT OR IGNORE INTO said VALUES (?, ?, ?, ?)", rows)
        self._database.execute("COMMIT")

    def uncontradicted(self, number: int, lines: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, int, bytes]]:
        """Give the lines of a list with their name and this number, without what an earlier list contradicts."""
        for name, line in lines:
            if number == 0:
                yield name, number, line
                continue
            vulnerability = from_wire(json.loads(line))
            left = tuple(self._left(number, vulnerability))
            if left == vulnerability.fixed_in:
                yield name, number, line
            elif left:
                yield name, number, encode_line(evolve(vulnerability, fixed_in=left))

    def close(self) -> None:
        """Delete the file."""
        self._database.close()
        self._path.unlink(missing_ok=True)

    def _left(self, number: int, vulnerability: Vulnerability) -> Iterator[FixedPackage]:
        for fixed in vulnerability.fixed_in:
            if not all(self._contradicts(number, vulnerability_id, fixed) for vulnerability_id in vulnerability.flaws):
                yield fixed

    def _contradicts(self, number: int, vulnerability_id: str, fixed: FixedPackage) -> bool:
        query = "SELECT number, said FROM said WHERE flaw = ? AND package = ? AND number < ? ORDER BY number"
        rows = self._database.execute(query, (vulnerability_id, _package(fixed), number)).fetchall()
        return bool(rows) and _said(fixed) not in {said for before, said in rows if before == rows[0][0]}


def _package(fixed: FixedPackage) -> str:
    return " ".join((fixed.kind, fixed.name, fixed.module or "", fixed.channel or ""))


def _said(fixed: FixedPackage) -> str:
    return fixed.status if fixed.status == "not_affected" else fixed.version or fixed.last_affected or ""
