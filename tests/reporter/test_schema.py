"""Tests for :mod:`patches.reporter.schema`."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from sqlalchemy import create_engine, inspect
from sqlalchemy.exc import IntegrityError
from twisted.trial.unittest import SynchronousTestCase

from patches.reporter.schema import FINDINGS, HOSTS, METADATA, SCANS, StoreError, open_database
from patches.reporter.store import ReportStore
from tests.reporter.sample_reports import NOW, findings_of, record


class OpenTests(SynchronousTestCase):
    """Databases of reports."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp())

    def test_new(self) -> None:
        """A database that does not exist is created with every declared table and column, and opens again."""
        for _ in range(2):
            engine = open_database(self.path)
            self.addCleanup(engine.dispose)
            inspector = inspect(engine)
            for table in METADATA.sorted_tables:
                columns = {column["name"] for column in inspector.get_columns(table.name)}
                self.assertEqual(columns, set(table.columns.keys()), table.name)

    def test_durable(self) -> None:
        """An acknowledged report survives a power failure, and readers do not wait for a writer."""
        with open_database(self.path).connect() as connection:
            self.assertEqual(connection.exec_driver_sql("PRAGMA journal_mode").scalar_one(), "wal")
            self.assertEqual(connection.exec_driver_sql("PRAGMA synchronous").scalar_one(), 2)

    def test_one_host(self) -> None:
        """A host is there once."""
        row = {"host": "web-1", "platform": None, "last": "1", "shown": "1"}
        with open_database(self.path).begin() as connection:
            connection.execute(HOSTS.insert(), row)
            self.assertRaises(IntegrityError, connection.execute, HOSTS.insert(), row)

    def test_refused(self) -> None:
        """A folder, and a path in a folder that does not exist, are refused in one line."""
        folder = Path(self.mktemp())
        folder.mkdir()
        for path in (folder, folder / "absent" / "reports.sqlite"):
            self.assertNotIn("\n", str(self.assertRaises(StoreError, open_database, path)))

    def test_damaged(self) -> None:
        """A file that is no database, or whose pages do not fit together, is set aside, and an empty one is created."""
        self.path.write_bytes(b"something else" * 100)
        open_database(self.path).dispose()
        aside = self.path.with_name(f"{self.path.name}.damaged")
        self.assertEqual(aside.read_bytes(), b"something else" * 100)
        content = bytearray(self.path.read_bytes())
        content[4096:8192] = bytes(4096)
        self.path.write_bytes(content)
        open_database(self.path).dispose()
        self.assertEqual(aside.read_bytes(), content)

    def older(self) -> None:
        """Create a database of version 1 with reports of the first scanner, as that version stored them."""
        with create_engine(f"sqlite:///{self.path}").begin() as connection:
            METADATA.create_all(connection, [HOSTS, SCANS, FINDINGS])
            connection.exec_driver_sql("CREATE TABLE schema (version INTEGER PRIMARY KEY)")
            connection.exec_driver_sql("INSERT INTO schema VALUES (1)")
            for host, shown, last in (("a", "bare-1", "bare-1"), ("b", "bare-1", "2"), ("c", "1", "2")):
                connection.execute(
                    HOSTS.insert(), {"host": host, "platform": "debian-12", "shown": shown, "last": last}
                )
                for scan in {shown, last}:
                    row = dict.fromkeys(("started", "finished", "received"), NOW.replace(tzinfo=None))
                    row |= {"host": host, "id": scan, "number": 0 if scan == "bare-1" else int(scan), "served": 0}
                    row |= {"complete": scan == shown, "findings": 2, "unfixed": 0, "not_evaluated": "{}"}
                    connection.execute(SCANS.insert(), row)
                for position, name in enumerate(("CVE-1", "CVE-1", "CVE-2")):
                    row = {"host": host, "position": position, "severity": 4, "document": json.dumps(record(name))}
                    connection.execute(FINDINGS.insert(), row)

    def test_upgrade(self) -> None:
        """Reports of first scanners of before version 2 are kept apart from then on; what scans said stays."""
        self.older()
        for _ in range(2):
            engine = open_database(self.path)
            self.addCleanup(engine.dispose)
            store = ReportStore(engine)
            shown = {host: findings_of(store, host) or {} for host in "abc"}
            names = {host: [each["name"] for each in shown[host]["vulnerabilities"]] for host in "abc"}
            self.assertEqual(names, {"a": ["CVE-1", "CVE-2"], "b": [], "c": ["CVE-1", "CVE-1", "CVE-2"]})
            self.assertEqual(shown["a"]["lastScan"]["problem"], "unverified, by the first scanner")
            self.assertEqual((shown["b"]["findingsScan"]["id"], shown["b"]["complete"]), ("2", False))
            self.assertEqual([each["name"] for each in shown["b"]["unverified"]["vulnerabilities"]], ["CVE-1", "CVE-2"])
            self.assertEqual((shown["c"]["findingsScan"]["id"], "unverified" in shown["c"]), ("1", False))

    def test_failed_upgrade(self) -> None:
        """An upgrade that fails changes nothing."""
        self.older()
        with sqlite3.connect(self.path) as database:
            database.execute("UPDATE findings SET document = 'x' WHERE host = 'b'")
        before = self.dump()
        self.assertRaises(ValueError, open_database, self.path)
        self.assertEqual(self.dump(), before)

    def dump(self) -> list[str]:
        """Return the content of the database."""
        with sqlite3.connect(self.path) as database:
            return list(database.iterdump())

    def test_other_program(self) -> None:
        """A database of another program is refused, and left as it is."""
        engine = open_database(self.path)
        with engine.begin() as connection:
            for table in inspect(connection).get_table_names():
                connection.exec_driver_sql(f"DROP TABLE {table}")
            connection.exec_driver_sql("CREATE TABLE aunts (name TEXT)")
        engine.dispose()
        self.assertRaises(StoreError, open_database, self.path)
