"""Tests for :mod:`patches.skipped`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.skipped import in_words, is_lost, unread


class SkippedTests(SynchronousTestCase):
    """Reasons of skipped entries."""

    def test_lost(self) -> None:
        """An entry that cannot be read, or is of something unknown, is lost; one left out on purpose is not."""
        for reason in (
            "not a record",
            "no vulnerability id",
            "unknown ecosystem: Photon OS",
            "name with a slash",
            "unread extra: docker",
        ):
            self.assertTrue(is_lost(reason), reason)
        for reason in ("withdrawn", "not security", "another lineage of SUSE", "unreadable", "rejected", "not in RHEL"):
            self.assertFalse(is_lost(reason), reason)

    def test_unread(self) -> None:
        """The lost entries of all sources are counted; a source may have no counts."""
        sources = {
            "a": {"read": 9, "skipped": {"not a record": 2, "withdrawn": 5}},
            "b": {"skipped": {"unknown release: x": 3, "unreadable": 7}},
            "c": {"read": 1},
        }
        self.assertEqual((unread(sources), unread({})), (5, 0))

    def test_in_words(self) -> None:
        """The most frequent reasons come first."""
        self.assertEqual(
            in_words({"unknown ecosystem: Photon OS": 222}), "222 records of the unknown ecosystem Photon OS"
        )
        skipped = {"withdrawn": 1, "not security": 7, "a": 1, "b": 2, "c": 0}
        self.assertEqual(in_words(skipped), "7 records: not security, 2 records: b, 1 record: a")
        self.assertEqual(in_words({"unknown ecosystem": 2}), "2 records: unknown ecosystem")
