"""Tests for :mod:`patches.server.refresh.publication.staged_file`: files of earlier versions."""

from __future__ import annotations

import json
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from patches.server.refresh.publication.staged_file import row_of
from patches.server.refresh.staging import ImportResult, StagingStore
from patches.vulnerability import FixedPackage, Vulnerability
from patches.wire import from_wire, to_wire
from tests.server.fake_catalogue import vulnerabilities

READ = ImportResult("etag-1", None, {}, 1000.0)


class EarlierTests(SynchronousTestCase):
    """A file of a version that stored records as they came."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp())
        self.lists = StagingStore(self.path)
        self.addCleanup(lambda: self.lists.close())
        for source, count in (("plain", 4), ("odd", 3)):
            import_id = self.lists.begin(source, "all")
            self.lists.add(import_id, vulnerabilities(count))
            self.lists.commit(import_id, READ)
            self.lists.note_published(source, "all")

    def store_raw(self, name: str, package: str, crc: int | None = None) -> None:
        """Store a record in place of one of the list, and make the file one of version 4."""
        record = Vulnerability(name, "debian-12", (FixedPackage(package, "1"),))
        line = json.dumps(to_wire(record), ensure_ascii=False).encode() + b"\n"
        database = self.lists._database
        (number,) = database.execute("SELECT id FROM readings WHERE source = 'odd'").fetchone()
        (old,) = database.execute("SELECT min(name) FROM lines WHERE reading = ?", (number,)).fetchone()
        *row, right = row_of("debian-12", name, "", line)
        database.execute("DELETE FROM lines WHERE reading = ? AND name = ?", (number, old))
        values = (number, *row, right if crc is None else crc)
        database.execute("INSERT INTO lines VALUES (?, ?, ?, ?, ?, ?)", values)
        database.execute("PRAGMA user_version=4")
        self.lists.close()
        self.lists = StagingStore(self.path)

    def published(self, source: str) -> bool:
        """Return whether a list counts as published."""
        known = self.lists.known(source, "all")
        assert known is not None
        return known[0].published

    def test_escaped(self) -> None:
        """A character that cannot be shown is escaped, and its list is published anew; other lists stay as they are."""
        self.store_raw("CVE-2024-\u202e9999", "op\x9ben")
        (record,) = (
            from_wire(json.loads(line)) for name, line in self.lists.lines("debian-12", "odd") if name > "CVE-2024-9"
        )
        self.assertEqual((record.name, record.fixed_in[0].name), ("CVE-2024-9999", "op\\x9ben"))
        self.assertEqual(self.lists.facts("debian-12")["odd"]["read"], 3)
        self.assertEqual((self.published("odd"), self.published("plain")), (False, True))
        self.lists.verify_some(100)
        self.assertEqual(self.lists.take_dropped(), [])

    def test_damaged(self) -> None:
        """A record that is damaged is not taken for one that is whole: its list is dropped when it is read."""
        self.store_raw("CVE-2024-\u202e9999", "open", crc=7)
        with self.assertRaisesRegex(Exception, "is damaged"):
            list(self.lists.lines("debian-12", "odd"))
        self.assertEqual(self.lists.take_dropped(), [("odd", "all")])
