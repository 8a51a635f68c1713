"""Tests for :mod:`patches.server.catalogue.diff`."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from patches.server.catalogue.diff import ADDED, CHANGED, WITHDRAWN, Difference, NotOrdered, diff_lists
from patches.wire import encode_json

_LISTS = st.dictionaries(st.text(max_size=2), st.sets(st.integers(0, 2), min_size=1), max_size=8)


def encoded(records: dict[str, set[int]]) -> list[bytes]:
    """Return encoded records: one line for each number of each name."""
    return [encode_json({"name": name, "n": n}) + b"\n" for name in sorted(records) for n in sorted(records[name])]


def now(records: dict[str, set[int]], name: str, change: str) -> Difference:
    """Return the difference of a name, with its records in the new list."""
    return Difference(name, change, tuple(encoded({name: records[name]})))


class DifferenceTests(SynchronousTestCase):
    """The differences between two sorted lists."""

    @given(_LISTS, _LISTS)
    def test_sets(self, old: dict[str, set[int]], new: dict[str, set[int]]) -> None:
        """The differences are those of a comparison by name in memory."""
        expected = {now(new, name, ADDED) for name in new.keys() - old.keys()}
        expected |= {Difference(name, WITHDRAWN) for name in old.keys() - new.keys()}
        expected |= {now(new, name, CHANGED) for name in old.keys() & new.keys() if old[name] != new[name]}
        found = list(diff_lists(encoded(old), encoded(new)))
        self.assertEqual(set(found), expected)
        self.assertEqual([each.name for each in found], sorted(each.name for each in expected))

    def test_order_within(self) -> None:
        """A changed order of the records of one name is a change, since the digest of the list differs."""
        lines = encoded({"a": {0, 1}})
        (found,) = diff_lists(lines, lines[::-1])
        self.assertEqual(found, Difference("a", CHANGED, tuple(lines[::-1])))

    def test_not_ordered(self) -> None:
        """A list that is not sorted is refused, since it would be compared incorrectly."""
        lines = encoded({"a": {0}, "b": {0}})
        self.assertRaises(NotOrdered, list, diff_lists(lines, lines[::-1]))
