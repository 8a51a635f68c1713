"""
Merging of several sources' lists of one platform into one.

A source of a lower rank (a vendor's own) goes before the others. Its statement about a vulnerability id in a package
holds: that the package is not affected, or the version in which it is fixed, in its track. A contradicting statement
of another source is skipped; a statement that agrees, or is about something else, is kept, and every record keeps its
source.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import takewhile
from pathlib import Path

from attrs import evolve

from patches.enrichment.enrich import FactsOf, enriched
from patches.followed import followed_records
from patches.storage.scratch import open_scratch
from patches.tracks import TrackRules
from patches.vulnerability import FOLLOWED, FixedPackage, Vulnerability
from patches.wire import encode_line, from_wire

#: A source's records of a platform, ordered by name; can be asked for again.
Lines = Callable[[], Iterable[tuple[str, bytes]]]


def merge(lists: Sequence[Lines], scratch: Path) -> Iterator[bytes]:
    """
    Merge the lists of one platform.

    :param lists: the sources' lists, the one with precedence first.
    :param scratch: the path of a scratch file, which is deleted at the end.
    :return: the lines, ordered by name, then in the order of the lists.
    """
    if len(lists) == 1:
        yield from (line for _, line in lists[0]())
        return
    yield from _followed(lists)
    statements = StatementStore(scratch)
    try:
        for number, lines in enumerate(lists[:-1]):
            statements.note(number, lines())
        told = [statements.uncontradicted(number, lines()) for number, lines in enumerate(lists)]
        for name, _, line in heapq.merge(*told, key=lambda row: row[:2]):
            if name != FOLLOWED:
                yield line
    finally:
        statements.close()


def _followed(lists: Sequence[Lines]) -> Iterator[bytes]:
    """Yield the lists of followed packages, merged: a package that one source follows is known. They sort first."""
    names: set[str] = set()
    sources: dict[str, str] = {}
    for lines in lists:
        for _, line in takewhile(lambda row: row[0] <= FOLLOWED, lines()):
            record = from_wire(json.loads(line))
            if record.name == FOLLOWED:
                names.update(record.followed)
                sources.setdefault(record.platform, record.source)
    for platform, source in sources.items():
        yield from map(encode_line, followed_records(platform, names, source))


def enriched_lines(lines: Iterable[bytes], facts_of: FactsOf) -> Iterator[bytes]:
    """Yield the lines of a list with what is known about the vulnerability ids of its records."""
    for line in lines:
        record = from_wire(json.loads(line))
        found = enriched(record, facts_of) if record.name != FOLLOWED else record
        yield line if found is record else encode_line(found)


class StatementStore:
    """
    The statements about vulnerability ids in packages, in a scratch file; every method blocks.

    :param path: a file that is there is deleted.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._database = open_scratch(path)
        self._database.execute(
            "CREATE TABLE said (flaw TEXT, package TEXT, number INTEGER, said TEXT,"
            " PRIMARY KEY (flaw, package, number, said)) WITHOUT ROWID"
        )

    def note(self, number: int, lines: Iterable[tuple[str, bytes]]) -> None:
        """
        Store the statements of a list.

        :param number: the position of the list in the order of precedence.
        """
        rows = (
            (vulnerability_id, _package(vulnerability, fixed), number, _said(fixed))
            for _, line in lines
            for vulnerability in [from_wire(json.loads(line))]
            for vulnerability_id in vulnerability.vulnerability_ids
            for fixed in vulnerability.fixed_in
            if fixed.status != "unreadable"
        )
        self._database.execute("BEGIN")
        self._database.executemany("INSERT OR IGNORE INTO said VALUES (?, ?, ?, ?)", rows)
        self._database.execute("COMMIT")

    def uncontradicted(self, number: int, lines: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, int, bytes]]:
        """Yield the lines of a list with their name and its number, except those that an earlier list contradicts."""
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
            if not all(
                self._contradicts(number, vulnerability_id, _package(vulnerability, fixed), fixed)
                for vulnerability_id in vulnerability.vulnerability_ids
            ):
                yield fixed

    def _contradicts(self, number: int, vulnerability_id: str, package: str, fixed: FixedPackage) -> bool:
        query = "SELECT number, said FROM said WHERE flaw = ? AND package = ? AND number < ? ORDER BY number"
        rows = self._database.execute(query, (vulnerability_id, package, number)).fetchall()
        return bool(rows) and _said(fixed) not in {said for before, said in rows if before == rows[0][0]}


def _package(vulnerability: Vulnerability, fixed: FixedPackage) -> str:
    """Return the package that a statement is about; builds of several tracks are several packages."""
    track = _rules(vulnerability.platform).of_fix(vulnerability.name, fixed)
    return " ".join((fixed.kind, fixed.name, fixed.module or "", track or ""))


#: The rules of few platforms: those whose lists are merged now.
_rules = lru_cache(8)(TrackRules)


def _said(fixed: FixedPackage) -> str:
    return (
        fixed.status if fixed.status in ("not_affected", "unreadable") else fixed.version or fixed.last_affected or ""
    )
