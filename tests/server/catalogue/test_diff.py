"""Tests for :mod:`patches.server.catalogue.diff`."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from patches.server.catalogue.diff import ADDED, CHANGED, WITHDRAWN, Difference, NotOrdered, diff_lists
from patches.wire import encode_json

_LISTS = st.dictionaries(st.text(max_size=2), st.sets(st.integers(0, 2), min_size=1), max_size=8)


def encoded(records: dict[str, set[int]]) -> list[bytes]:
    """Return lines: of each name, one for each number."""
    return [encode_json({"name": name, "n": n}) + b"\n" for name in sorted(records) for n in sorted(records[name])]


def now(records: dict[str, set[int]], name: str, change: str) -> Difference:
    """Return the change of a name, with its records now."""
    return Difference(name, change, tuple(encoded({name: records[name]})))


class DifferenceTests(SynchronousTestCase):
    """Two lists, side by side."""

    @given(_LISTS, _LISTS)
    def test_sets(self, old: dict[str, set[int]], new: dict[str, set[int]]) -> None:
        """It finds what comparing them by name in memory finds."""
        expected = {now(new, name, ADDED) for name in new.keys() - old.keys()}
        expected |= {Difference(name, WITHDRAWN) for name in old.keys() - new.keys()}
        expected |= {now(new, name, CHANGED) for name in old.keys() & new.keys() if old[name] != new[name]}
        found = list(diff_lists(encoded(old), encoded(new)))
        self.assertEqual(set(found), expected)
        self.assertEqual([each.name for each in found], sorted(each.name for each in expected))

    def test_order_within(self) -> None:
        """Another order of the records of one name is a change: the list has another digest."""
        lines = encoded({"a": {0, 1}})
        (found,) = diff_lists(lines, lines[::-1])
        self.assertEqual(found, Difference("a", CHANGED, tuple(lines[::-1])))

    def test_not_ordered(self) -> None:
        """A list out of order is refused, since it would be compared wrongly."""
        lines = encoded({"a": {0}, "b": {0}})
        self.assertRaises(NotOrdered, list, diff_lists(lines, lines[::-1]))
