"""Tests for :mod:`patches.server.admin.views`."""

from __future__ import annotations

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from patches.server.admin.views import (
    CURRENT,
    HELD,
    REPLACED,
    SnapshotRow,
    held_lines,
    listing_document,
    listing_table,
    records_document,
    records_table,
)
from patches.service.text_table import TextTable
from patches.vulnerability import FixedPackage, Severity, Vulnerability
from patches.wire import to_wire
from tests.server.fake_catalogue import snapshot


def rows(table: TextTable, width: int | None = None) -> list[str]:
    """Return the rows of a table as they are shown, with one blank between the columns."""
    return [" ".join(line.split()) for line, _ in table.lines(width)]


class ListingTests(SynchronousTestCase):
    """Snapshots."""

    def setUp(self) -> None:
        self.current = evolve(snapshot(), sources={"debian": {"read": 40}, "osv": {}}, created=60.0)
        self.held = evolve(snapshot(revision="r2"), held_back="it is [red]80% less[/]")
        self.listed = [SnapshotRow(self.current, CURRENT), SnapshotRow(self.held, HELD)]

    def test_document(self) -> None:
        """The document has every snapshot with its state, its sources, and the reason why it is held back."""
        first, second = listing_document(self.listed)["snapshots"]
        self.assertEqual((first["platform"], first["revision"], first["state"]), ("debian-12", "r1", "current"))
        self.assertEqual((first["created"], first["vulnerabilities"]), ("1970-01-01T00:01:00Z", 40))
        self.assertEqual((first["sources"], first["held"]), ({"debian": {"read": 40}, "osv": {}}, None))
        self.assertEqual((second["state"], second["held"]), ("held", "it is [red]80% less[/]"))
        self.assertEqual(listing_document([]), {"snapshots": []})

    def test_table(self) -> None:
        """The table has a row for each snapshot, with the beginning of its revision."""
        shown = rows(listing_table(self.listed))
        times = "1970-01-01T00:01Z 1970-01-01T00:00Z"
        self.assertEqual(shown[0], "Platform State Revision Created Checked Records Chunks Sources")
        self.assertIn(f"debian-12 current r1 {times} 40 4 debian, osv", shown)
        long = SnapshotRow(evolve(self.current, revision="0123456789abcdef"), CURRENT)
        self.assertIn(" 0123456789ab ", rows(listing_table([long]))[1])

    def test_narrow(self) -> None:
        """In 80 columns every heading, platform and time is whole, and in one line."""
        platforms = ("opensuse-leap-15.6", "debian-12")
        snapshots = [evolve(self.current, platform=name, vulnerabilities=123456) for name in platforms]
        shown = rows(listing_table([SnapshotRow(each, REPLACED) for each in snapshots]), 80)
        self.assertEqual(shown[0], "Platform State Revision Checked Records Sources")
        for name in platforms:
            beginning = f"{name} replaced r1 1970-01-01T00:00Z 123456 debian,"
            self.assertTrue(any(row.startswith(beginning) for row in shown), shown)

    def test_held(self) -> None:
        """The reason for which a snapshot is held back is a line."""
        self.assertEqual(held_lines(self.listed), ["debian-12: held back: it is [red]80% less[/]"])


class RecordTests(SynchronousTestCase):
    """Records of a vulnerability id."""

    def record(self, *packages: FixedPackage) -> Vulnerability:
        """Return a record."""
        return Vulnerability("CVE-1", "debian-12", packages, Severity.HIGH, source="debian")

    def test_document(self) -> None:
        """The records are in the wire format."""
        record = self.record(FixedPackage("curl", "8"))
        self.assertEqual(records_document("CVE-1", [record]), {"name": "CVE-1", "records": [to_wire(record)]})
        self.assertEqual(records_document("CVE-1", []), {"name": "CVE-1", "records": []})

    def test_ranges(self) -> None:
        """A row has the affected versions of a package, its status, and what restricts it."""
        for package, shown in (
            (FixedPackage("curl", "8"), "curl source v < 8 fixed"),
            (FixedPackage("curl", "8", "binary", introduced="5"), "curl binary 5 ≤ v < 8 fixed"),
            (FixedPackage("curl", None, last_affected="7"), "curl source v ≤ 7"),
            (FixedPackage("curl", None, introduced="5", last_affected="7"), "curl source 5 ≤ v ≤ 7"),
            (FixedPackage("curl", None, status="will_not_fix"), "curl source v will_not_fix"),
            (FixedPackage("curl", "8", module="m:1", arches=("a", "b")), "curl (m:1; a,b) source v < 8 fixed"),
            (FixedPackage("curl", "8", track="esm"), "curl (esm) source v < 8 fixed"),
        ):
            table = rows(records_table([self.record(package)]))
            expected = f"debian-12 CVE-1 high debian {shown}"
            self.assertTrue(any(row.startswith(expected) for row in table), (expected, table))

    def test_rows(self) -> None:
        """A record has a row for each package, and one if it has no package."""
        two = self.record(FixedPackage("a", "1"), FixedPackage("b", "1"))
        self.assertEqual(records_table([two, self.record()]).row_count, 3)
        self.assertEqual(records_table([]).row_count, 0)
