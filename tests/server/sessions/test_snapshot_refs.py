"""Tests for :mod:`patches.server.sessions.snapshot_refs`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.server.sessions.snapshot_refs import SnapshotRefs
from tests.server.fake_catalogue import snapshot


class UseTests(SynchronousTestCase):
    """References to snapshots."""

    def test_counted(self) -> None:
        """A snapshot is in use until it was released as often as it was taken."""
        subject, one, other = SnapshotRefs(), snapshot(revision="r1"), snapshot(revision="r2")
        for each in (one, one, other):
            subject.take(each)
        self.assertEqual(subject.revisions(), {"r1", "r2"})
        self.assertIs(subject.get("r1"), one)
        subject.release("r1")
        self.assertEqual(subject.revisions(), {"r1", "r2"})
        subject.release("r1")
        self.assertEqual(subject.revisions(), {"r2"})
        self.assertRaises(KeyError, subject.get, "r1")
        self.assertRaises(KeyError, subject.release, "r1")

    def test_taken_again(self) -> None:
        """A snapshot that was released can be taken again, and is counted from the beginning."""
        subject = SnapshotRefs()
        for _ in range(2):
            subject.take(snapshot())
            subject.release("r1")
        self.assertEqual(subject.revisions(), set())
