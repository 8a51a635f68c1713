"""Tests for :mod:`patches.server.refresh.publication.changes`."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from patches.followed import followed_records
from patches.server.catalogue.diff import ADDED, CHANGED, WITHDRAWN, diff_lists
from patches.server.errors import CatalogueError
from patches.server.refresh.publication.changes import ChangeCount
from patches.vulnerability import Vulnerability
from patches.wire import encode_line

NAMES = st.text(st.sampled_from("abc-019é\N{GRINNING FACE}"), min_size=1, max_size=3)
LISTS = st.dictionaries(NAMES, st.lists(st.integers(1, 3), min_size=1, max_size=2), max_size=6)


def lines(records: dict[str, list[int]]) -> list[bytes]:
    """Return a list, ordered by name; a name may have several records."""
    found = [
        Vulnerability(name, "debian-12", details_href=str(number))
        for name in sorted(records)
        for number in records[name]
    ]
    return [encode_line(each) for each in found]


class ChangeCountTests(SynchronousTestCase):
    """Two lists."""

    @given(LISTS, LISTS)
    def test_counts(self, old: dict[str, list[int]], new: dict[str, list[int]]) -> None:
        """The counts are those of the difference of the lists, and every line of the new one is yielded."""
        changes = ChangeCount()
        self.assertEqual(list(changes.counted(lines(old), lines(new))), lines(new))
        kinds = [each.change for each in diff_lists(lines(old), lines(new))]
        expected = kinds.count(ADDED), kinds.count(CHANGED), kinds.count(WITHDRAWN)
        self.assertEqual((changes.added, changes.changed, changes.withdrawn), expected)

    def test_followed(self) -> None:
        """The lists of followed packages are no vulnerabilities."""
        followed = [encode_line(each) for each in followed_records("debian-12", ["curl"], "s")]
        changes = ChangeCount()
        list(changes.counted(followed, [*followed, *lines({"a": [1]})]))
        list(changes.counted([], followed))
        self.assertEqual(str(changes), "1 added, 0 changed, 0 withdrawn")

    def test_damaged(self) -> None:
        """If the current list cannot be read, the new one is written nevertheless."""

        def damaged() -> Iterator[bytes]:
            yield from lines({"a": [1]})
            raise CatalogueError("damaged")

        changes = ChangeCount()
        self.assertEqual(list(changes.counted(damaged(), lines({"b": [1]}))), lines({"b": [1]}))
        self.assertEqual(str(changes), "the changes are not known")
