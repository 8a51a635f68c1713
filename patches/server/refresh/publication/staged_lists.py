"""A view of the staged lists, from which a snapshot is built: it does not change while lists are read again."""

from __future__ import annotations

import heapq
import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from typing import Any


class StagedLists:
    """
    A view of the staged lists.

    :param database: a connection within a transaction.
    """

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def facts(self, platform: str) -> dict[str, dict[str, Any]]:
        """Return the numbers of records read and skipped, for each source with a list of a platform."""
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
        """
        query = "SELECT name, line FROM lines WHERE reading = ? AND platform = ? ORDER BY name, line"
        found = self._database.execute("SELECT id FROM readings WHERE current AND source = ?", (source,)).fetchall()
        return heapq.merge(*(self._rows(query, number, platform) for (number,) in found))

    def _rows(self, query: str, number: int, platform: str) -> Iterator[tuple[str, bytes]]:
        # A generator, as a cursor that is closed after its database raises.
        for row in self._database.execute(query, (number, platform)):  # noqa: UP028 - see above
            yield row
