"""
The difference between a list of Clair that was read, and its names now: which rows must be read again.

Clair lists rows by their ids. A change deletes a row and inserts one with a higher id, so it moves to the end of the
list; rows that are unchanged keep their order. Writers that commit late insert rows with lower ids, in the middle.
So the rows of the list that was read which are still there in their old order, the *kept* rows, are unchanged unless
they have changed again in that same order. Then each of them has a higher id than all before: if the last one of an
uninterrupted run of kept rows is unchanged, all before it are. Only that one needs to be asked for. (If it has changed
and changed back, the others are found when the whole list is read, once a day.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import define, field, frozen


@define
class RowRun:
    """
    Neighbouring rows of a list, in its order.

    :ivar kept: names that are unchanged if the details of the last one are.
    :ivar moved: the names after them, which are new, or have moved: they must be read.
    """

    kept: list[str] = field(factory=list)
    moved: list[str] = field(factory=list)


@frozen
class NameDifference:
    """
    The difference between two states of a list.

    :ivar runs: all rows of the later one.
    :ivar gone: the names that only the earlier one has.
    """

    runs: list[RowRun]
    gone: list[str]

    @property
    def is_none(self) -> bool:
        """Whether the names and their order are the same."""
        return not self.gone and not any(run.moved for run in self.runs)


def compare(before: Mapping[str, str], now: Iterable[str]) -> NameDifference:
    """
    Compare a list that was read with its names now.

    :param before: its names in their order.
    :param now: names in their order; each once.
    """
    places = {name: place for place, name in enumerate(before)}
    runs, last = [RowRun()], -1
    for name in now:
        place = places.pop(name, -1)
        if place > last:
            last = place
            if runs[-1].moved:
                runs.append(RowRun())
            runs[-1].kept.append(name)
        else:
            runs[-1].moved.append(name)
    return NameDifference(runs, list(places))
