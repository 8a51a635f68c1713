"""Tests for :mod:`patches.sources.clair.skipped_entries`."""

from __future__ import annotations

from collections import Counter

from twisted.trial.unittest import SynchronousTestCase

from patches.sources.clair import skipped_entries
from patches.sources.clair.skipped_entries import SkippedEntries


class SkippedTests(SynchronousTestCase):
    """Skipped entries of a list."""

    def test_counts(self) -> None:
        """Each reason is counted; the reasons of an entry are replaced when it is read again."""
        skipped = SkippedEntries()
        skipped.note("a", ("gone",))
        skipped.note("b", ("unreadable", "unreadable"))
        self.assertEqual(skipped.counts, {"gone": 1, "unreadable": 2})
        skipped.note("b", ())
        self.assertEqual((skipped.counts, list(skipped.reasons)), ({"gone": 1}, ["a"]))

    def test_earlier(self) -> None:
        """Those of an earlier pass count on."""
        skipped = SkippedEntries.of({"a": Counter({"gone": 1})})
        skipped.note("b", ("gone",))
        self.assertEqual(skipped.counts, {"gone": 2})

    def test_bounded(self) -> None:
        """Of too many entries the names are not remembered, and this is known."""
        self.patch(skipped_entries, "MAX_LEFT_OUT", 2)
        skipped = SkippedEntries()
        for name in "abc":
            self.assertTrue(skipped.is_known)
            skipped.note(name, ("gone",))
        self.assertEqual((skipped.is_known, skipped.counts, len(skipped.reasons)), (False, {"gone": 3}, 2))
