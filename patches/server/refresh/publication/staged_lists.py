"""
A view of the staged lists, from which a snapshot is built: it does not change while lists are read again.

Whatever it reads is verified: a line by its checksum, the description of a list by its seal, the number of lines by the
description.
"""

from __future__ import annotations

import heapq
import json
import sqlite3
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from patches.enrichment.enrich import FactsOf, joined
from patches.enrichment.facts import facts_from_wire
from patches.server.errors import CatalogueError
from patches.vulnerability import ALL_PLATFORMS, FOLLOWED, Facts

Place = tuple[int, str, str, str]


class ListsDamaged(CatalogueError):
    """
    A staged list is damaged.

    :ivar import_id: of the import that read it; ``None``: it is not known which list it is.
    """

    def __init__(self, text: str, import_id: int | None = None) -> None:
        super().__init__(text)
        self.import_id = import_id


def checksum(platform: str, name: str, part: str, line: bytes) -> int:
    """Return the checksum of a line, with its place: it finds any flipped bit, and any damage of up to 32 bits."""
    return zlib.crc32(line, zlib.crc32("\0".join((platform, name, part)).encode("utf-8", "surrogatepass")))


def seal_of(database: sqlite3.Connection, import_id: int) -> int:
    """Return the checksum of a list's description: where it is from, and how many records of each platform it has."""
    columns = "source, key, state, claimed, skipped, checked, current"
    row = database.execute(f"SELECT {columns} FROM readings WHERE id = ?", (import_id,)).fetchone()  # noqa: S608 - above
    query = "SELECT platform, read FROM counts WHERE reading = ? ORDER BY platform"
    return zlib.crc32(repr((row, database.execute(query, (import_id,)).fetchall())).encode("utf-8", "surrogatepass"))


class StagedLists:
    """
    A view of the staged lists.

    :param database: a connection within a transaction.
    """

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def facts(self, platform: str) -> dict[str, dict[str, Any]]:
        """
        Return the numbers of records read and skipped, for each source with a list of a platform.

        :raises ListsDamaged: if the description of any list is damaged.
        """
        self.verify_descriptions()
        facts: dict[str, dict[str, Any]] = {}
        query = (
            "SELECT source, read, claimed, skipped FROM counts JOIN readings ON reading = id"
            " WHERE current AND platform = ? ORDER BY source, key"
        )
        for source, read, claimed, skipped in self._database.execute(query, (platform,)):
            told = facts.setdefault(source, {"read": 0, "skipped": {}})
            told["read"] += read
            told["skipped"] = dict(Counter(told["skipped"]) + Counter(json.loads(skipped)))
            if claimed is not None:
                told["claimed"] = told.get("claimed", 0) + claimed
        return facts

    def lines(self, platform: str, source: str) -> Iterator[tuple[str, bytes]]:
        """
        Yield a source's records of a platform, ordered by name; the order does not depend on how the list was read.

        :raises ListsDamaged: at a line that is damaged; at the end, if lines are missing.
        """
        found = self._database.execute("SELECT id FROM readings WHERE current AND source = ?", (source,)).fetchall()
        return heapq.merge(*(self._rows(number, platform) for (number,) in found))

    def facts_of(self, sources: Sequence[str]) -> FactsOf:
        """
        Return a function that finds what enriching sources have staged about a vulnerability id.

        It raises :exc:`ListsDamaged` at a line that is damaged.

        :param sources: their names; of two that know the same, the first one holds.
        """
        readings: dict[int, int] = {}
        for place, source in enumerate(sources):
            query = "SELECT id FROM readings WHERE current AND source = ?"
            readings |= {number: place for (number,) in self._database.execute(query, (source,))}
        marks = ", ".join("?" * len(readings))
        query = f"SELECT reading, part, line, crc FROM lines WHERE platform = ? AND name = ? AND reading IN ({marks})"  # noqa: S608 - marks only
        numbers = tuple(readings)

        def find(vulnerability_id: str) -> Facts | None:
            rows = self._database.execute(query, (ALL_PLATFORMS, vulnerability_id, *numbers)).fetchall()
            for number, part, line, crc in rows:
                self._verify(number, ALL_PLATFORMS, vulnerability_id, part, line, crc=crc)
            rows.sort(key=lambda row: readings[row[0]])
            return joined(facts_from_wire(json.loads(line)) for _, _, line, _ in rows)

        return find

    def verify_descriptions(self) -> None:
        """
        Verify the description of every list.

        :raises ListsDamaged: if one is damaged.
        """
        query = "SELECT id, source, key, seal FROM readings WHERE seal IS NOT NULL OR current"
        for number, source, key, seal in self._database.execute(query).fetchall():
            if seal != seal_of(self._database, number):
                raise ListsDamaged(f"The description of the staged list {key} of {source} is damaged", number)
        query = "SELECT reading FROM counts WHERE reading NOT IN (SELECT id FROM readings) LIMIT 1"
        if self._database.execute(query).fetchone() is not None:
            raise ListsDamaged("The description of a staged list is damaged")

    def verify_after(self, place: Place, most: int) -> Place | None:
        """
        Verify the lines after a place.

        :param most: how many of them.
        :return: the place of the last one; ``None`` at the end of all.
        :raises ListsDamaged: at a line that is damaged.
        """
        query = (
            "SELECT reading, platform, name, part, line, crc FROM lines"
            " WHERE (reading, platform, name, part) > (?, ?, ?, ?) ORDER BY reading, platform, name, part LIMIT ?"
        )
        last: Place | None = None
        count = 0
        for import_id, *row, crc in self._database.execute(query, (*place, most)):
            self._verify(import_id, *row, crc=crc)
            last, count = (import_id, row[0], row[1], row[2]), count + 1
        return last if count == most else None

    def _rows(self, number: int, platform: str) -> Iterator[tuple[str, bytes]]:
        query = "SELECT name, part, line, crc FROM lines WHERE reading = ? AND platform = ? ORDER BY name, line"
        found = 0
        for name, part, line, crc in self._database.execute(query, (number, platform)):
            self._verify(number, platform, name, part, line, crc=crc)
            found += name != FOLLOWED
            yield name, line
        query = "SELECT read FROM counts WHERE reading = ? AND platform = ?"
        (expected,) = self._database.execute(query, (number, platform)).fetchone() or (0,)
        if found != expected:
            raise ListsDamaged(f"A staged list of {platform} has {found} records, not {expected}", number)

    def _verify(self, import_id: int, platform: str, name: str, part: str, line: bytes, *, crc: int) -> None:
        if not isinstance(line, bytes) or checksum(platform, name, part, line) != crc:
            raise ListsDamaged(f"A record of a staged list of {platform} is damaged", import_id)
