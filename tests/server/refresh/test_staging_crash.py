"""Tests for :mod:`patches.server.refresh.staging` after a crash between a commit and the removal of the old list."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.server.refresh.publication.merge import StatementStore
from patches.server.refresh.staging import ImportResult, StagingStore
from tests.server.fake_catalogue import lines, vulnerabilities


class Crash(Exception):
    """The end of the process."""


class CrashingLists(StagingStore):
    """A store that crashes before it removes a replaced list."""

    def _forget(self, readings: object) -> None:
        raise Crash


class CrashTests(SynchronousTestCase):
    """A list that is replaced."""

    def test_replaced(self) -> None:
        """The new list is complete, and no line of the old one is read."""
        path = Path(self.mktemp())
        for kind, count in ((StagingStore, 20), (CrashingLists, 5)):
            lists = kind(path)
            import_id = lists.begin("debian", "all")
            lists.add(import_id, vulnerabilities(count))
            try:
                lists.commit(import_id, ImportResult(f"etag-{count}", None, {}, 1000.0))
            except Crash:
                self.assertIs(kind, CrashingLists)
            lists.close()
        lists = StagingStore(path)
        self.addCleanup(lists.close)
        told = [line for _, line in lists.lines("debian-12", "debian")]
        self.assertEqual(told, lines(vulnerabilities(5)))
        known = lists.known("debian", "all")
        assert known is not None
        self.assertEqual((known[0].state, known[1]), ("etag-5", {"debian-12"}))


class StatementsTests(SynchronousTestCase):
    """The scratch file of a merge."""

    def test_closed(self) -> None:
        """
        The file is removed when the store is closed, even if it is missing by then; the store is unusable afterwards.
        """
        for removed in (False, True):
            path = Path(self.mktemp())
            subject = StatementStore(path)
            self.assertTrue(path.is_file())
            if removed:
                path.unlink()
            subject.close()
            self.assertFalse(path.exists())
            self.assertRaises(sqlite3.ProgrammingError, subject.note, 0, [])
