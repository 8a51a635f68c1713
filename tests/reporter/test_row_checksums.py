"""Tests for :mod:`patches.reporter.row_checksums`: whatever bit flips in a row, no wrong state of a host is shown."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from twisted.internet.testing import EventLoggingObserver
from twisted.logger import formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from patches.reporter.schema import open_database
from patches.reporter.store import Acceptance, ReportStore
from tests.reporter.sample_reports import NOW, body, findings_of, parsed

#: The tables of what verified scans say, with their columns.
COLUMNS = {
    "hosts": ("host", "platform", "last", "shown", "crc"),
    "scans": (
        *("host", "id", "number", "started", "finished", "received", "complete", "revision", "digest", "served"),
        *("findings", "problem", "unfixed", "not_evaluated", "severities", "crc"),
    ),
    "findings": ("host", "position", "severity", "document", "crc"),
}


def flipped(value: Any) -> Any:
    """Return a value with one flipped bit."""
    if isinstance(value, int):
        return value ^ 1
    return chr(ord(value[0]) ^ 1) + value[1:] if value else "x"


class DamageTests(SynchronousTestCase):
    """A store with two hosts."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp())
        self.observer = EventLoggingObserver.createWithCleanup(self, globalLogPublisher)

    def create(self) -> ReportStore:
        """Create the store anew."""
        self.path.unlink(missing_ok=True)
        engine = open_database(self.path)
        self.addCleanup(engine.dispose)
        store = ReportStore(engine)
        for host in ("web1", "web2"):
            store.accept(parsed(body("CVE-1", "CVE-2", host=host), "192.0.2.1"), NOW)
        engine.dispose()
        return store

    def change(self, table: str, column: str) -> None:
        """Flip a bit of one value of the first host."""
        with closing(sqlite3.connect(self.path)) as database, database:
            query = f"SELECT {column} FROM {table} WHERE host = 'web1' LIMIT 1"
            (value,) = database.execute(query).fetchone()
            where = "host = 'web1'" + (" AND position = 0" if table == "findings" else "")
            new = 5 if column == "position" else flipped(value)
            database.execute(f"UPDATE {table} SET {column} = ? WHERE {where}", [new])

    def test_any_column(self) -> None:
        """The host is shown as it was, or not at all, and others stay; its next report shows it again."""
        for table, columns in COLUMNS.items():
            for column in columns:
                store = self.create()
                right = {host: findings_of(store, host) for host in ("web1", "web2")}
                listed = store.hosts("", 10)
                self.change(table, column)
                shown = findings_of(store, "web1")
                self.assertIn(shown, (None, right["web1"]), (table, column))
                self.assertIn(store.hosts("", 10), (listed, listed[1:]), (table, column))
                self.assertEqual(findings_of(store, "web2"), right["web2"])
                again = store.accept(parsed(body("CVE-1", "CVE-2", host="web1", number=9), "192.0.2.1"), NOW)
                self.assertIs(again, Acceptance.STORED, (table, column))
                state = findings_of(store, "web1")
                assert state is not None
                self.assertEqual([each["name"] for each in state["vulnerabilities"]], ["CVE-1", "CVE-2"])

    def test_said(self) -> None:
        """Damage is one line of the log."""
        store = self.create()
        self.change("findings", "document")
        self.assertIsNone(findings_of(store, "web1"))
        lines = [str(formatEvent(event)) for event in self.observer]
        self.assertEqual(lines, ["What is known of web1 is damaged: it is shown again after its next report"])

    def test_same_report(self) -> None:
        """A report that was stored, and is sent again after damage, is stored again."""
        for table, column in (("hosts", "host"), ("scans", "number"), ("hosts", "shown")):
            store = self.create()
            self.change(table, column)
            again = store.accept(parsed(body("CVE-1", "CVE-2", host="web1"), "192.0.2.1"), NOW)
            self.assertIs(again, Acceptance.STORED, (table, column))

    def test_earlier_version(self) -> None:
        """A database of version 2 has no checksums: they are added, and everything is shown as before."""
        store = self.create()
        right = findings_of(store, "web1"), store.hosts("", 10)
        store._engine.dispose()
        with closing(sqlite3.connect(self.path)) as database, database:
            for table in ("hosts", "scans", "findings", "unverified_hosts", "unverified_findings"):
                database.execute(f"ALTER TABLE {table} DROP COLUMN crc")
            for table in ("scans", "unverified_hosts"):
                database.execute(f"ALTER TABLE {table} DROP COLUMN severities")
            database.execute("UPDATE schema SET version = 2")
        store = ReportStore(open_database(self.path))
        self.addCleanup(store._engine.dispose)
        self.assertEqual((findings_of(store, "web1"), store.hosts("", 10)), right)
        self.change("scans", "served")
        self.assertIsNone(findings_of(store, "web1"))
