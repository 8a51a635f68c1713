"""
The content of a Clair: rows with ids that only grow, so that a change moves a vulnerability to the end of its list.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Mapping
from typing import Any

from attrs import define, field, frozen

Record = Mapping[str, Any]


class NoSuchResource(LookupError):
    """A namespace or a vulnerability that does not exist."""


@define(eq=False)
class _Namespace:
    version_format: str
    ids: list[int] = field(factory=list)
    records: dict[int, Record] = field(factory=dict)
    id_of: dict[str, int] = field(factory=dict)


@frozen
class Slice:
    """
    Some rows of a list.

    :ivar following: the id of the row after them; ``None`` if there is no such row.
    """

    records: list[Record]
    following: int | None


class Rows:
    """The namespaces of a Clair, and their vulnerabilities."""

    def __init__(self) -> None:
        self._namespaces: dict[str, _Namespace] = {}
        self._next_id = 1

    def add_namespace(self, name: str, version_format: str) -> None:
        """Create a namespace, if it does not exist; namespaces are never deleted."""
        self._namespaces.setdefault(name, _Namespace(version_format))

    def namespaces(self) -> list[tuple[str, str]]:
        """Return the name and the version format of each namespace."""
        return [(name, namespace.version_format) for name, namespace in self._namespaces.items()]

    def take_id(self) -> int:
        """Return the id for a row that will be inserted; it is higher than all before, in any namespace."""
        self._next_id += 1
        return self._next_id - 1

    def put(self, namespace: str, record: Record, number: int | None = None) -> None:
        """
        Insert a vulnerability; one of the same name is deleted first. The same data again make no new row.

        :param number: the id that was reserved for it; ``None``: the next one.
        """
        rows = self._rows(namespace)
        before = rows.id_of.get(record["Name"])
        if before is not None and rows.records[before] == record:
            return
        if before is not None:
            self.delete(namespace, record["Name"])
        number = self.take_id() if number is None else number
        insort(rows.ids, number)
        rows.records[number] = record
        rows.id_of[record["Name"]] = number

    def delete(self, namespace: str, name: str) -> None:
        """
        Delete a vulnerability.

        :raises NoSuchResource: if it does not exist.
        """
        rows = self._rows(namespace)
        if name not in rows.id_of:
            raise NoSuchResource(name)
        number = rows.id_of.pop(name)
        del rows.ids[bisect_left(rows.ids, number)]
        del rows.records[number]

    def slice(self, namespace: str, start: int, limit: int) -> Slice:
        """
        Return the rows from an id on, in the order of their ids.

        :param limit: the highest number of rows.
        :raises NoSuchResource: if the namespace does not exist.
        """
        rows = self._rows(namespace)
        first = bisect_left(rows.ids, start)
        ids = rows.ids[first : first + limit + 1]
        return Slice([rows.records[number] for number in ids[:limit]], ids[limit] if len(ids) > limit else None)

    def find(self, namespace: str, name: str) -> Record:
        """
        Return a vulnerability.

        :raises NoSuchResource: if it does not exist.
        """
        rows = self._rows(namespace)
        if name not in rows.id_of:
            raise NoSuchResource(name)
        return rows.records[rows.id_of[name]]

    def _rows(self, namespace: str) -> _Namespace:
        if namespace not in self._namespaces:
            raise NoSuchResource(namespace)
        return self._namespaces[namespace]
