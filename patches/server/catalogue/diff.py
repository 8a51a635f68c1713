"""The differences of two lists, found while they are read: the records of at most one name are in memory."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import groupby

from attrs import frozen

from patches.server.errors import CatalogueError

ADDED, CHANGED, WITHDRAWN = CHANGES = ("added", "changed", "withdrawn")

_Group = tuple[str, list[bytes]]


class NotOrdered(CatalogueError):
    """A list that is not ordered by name cannot be compared while it is read."""


@frozen
class Difference:
    """
    The change of the records of one name.

    :ivar change: one of :data:`CHANGES`.
    :ivar lines: the records of the newer list, in their order.
    """

    name: str
    change: str
    lines: tuple[bytes, ...] = ()


def diff_lists(old: Iterable[bytes], new: Iterable[bytes]) -> Iterator[Difference]:
    """
    Compare two lists, each ordered by name.

    :param old: the lines of the older list.
    :raises NotOrdered: at the first line that is out of order.
    """
    before, after = _by_name(old), _by_name(new)
    was, now = next(before, None), next(after, None)
    while was is not None or now is not None:
        if now is None or (was is not None and was[0] < now[0]):
            assert was is not None  # noqa: S101 - one of them is there
            yield Difference(was[0], WITHDRAWN)
            was = next(before, None)
        elif was is None or now[0] < was[0]:
            yield Difference(now[0], ADDED, tuple(now[1]))
            now = next(after, None)
        else:
            if was[1] != now[1]:
                yield Difference(now[0], CHANGED, tuple(now[1]))
            was, now = next(before, None), next(after, None)


def _by_name(lines: Iterable[bytes]) -> Iterator[_Group]:
    """Yield each name with its records."""
    last = None
    for name, group in groupby(lines, lambda line: str(json.loads(line)["name"])):
        if last is not None and name <= last:
            raise NotOrdered(f"the list is not ordered by name: {name} comes after {last}")
        last = name
        yield name, list(group)
