"""``patches catalogue``: what an operator is shown of the catalogue, and what he can do to it."""

from __future__ import annotations

import sqlite3
import time

from attrs import evolve

from patches.followed import followed_records
from patches.server.catalogue.snapshot import Snapshot
from patches.server.refresh.publication.publisher import Guard
from patches.vulnerability import FixedPackage, Vulnerability
from tests.server.catalogue_case import SOURCES, CommandCase
from tests.server.fake_catalogue import lines, vulnerabilities, vulnerability


class ListTests(CommandCase):
    """``list`` and ``show``."""

    def test_list(self) -> None:
        """Each snapshot is listed with its state: current, replaced or held."""
        old, new = self.publish(20), self.publish(21, now=2000.0)
        held_back = self.catalogue.publish("debian-12", lines(vulnerabilities(3)), SOURCES, 3000.0, Guard().objection)
        other = self.publish(5, "alpine-3.20")
        listed = self.document("list")["snapshots"]
        states = {each["revision"]: each["state"] for each in listed}
        expected = {
            old.revision: "replaced",
            new.revision: "current",
            held_back.revision: "held",
            other.revision: "current",
        }
        self.assertEqual(states, expected)
        told = next(each for each in listed if each["revision"] == new.revision)
        self.assertEqual((told["vulnerabilities"], told["chunks"], told["sources"]), (21, 1, SOURCES))
        self.assertEqual((told["created"], told["held"]), ("1970-01-01T00:33:20Z", None))
        shown = self.run_command("list").stdout
        for text in (
            *(revision[:12] for revision in states),
            *states.values(),
            "made-up",
            "debian-12: held back: the new list has 3 vulnerabilities",
        ):
            self.assertIn(text, shown)

    def test_show(self) -> None:
        """All records with a name or an alias are shown, of all platforms or of the given one."""
        package = FixedPackage("openssl", "1.2", introduced="1.0", module="m:1", arches=("x86_64",))
        advisory = Vulnerability("DSA-1", "debian-12", (package,), aliases=("CVE-2024-000003",), source="made-up")
        self.publish([*vulnerabilities(20), advisory])
        self.publish(20, "alpine-3.20")
        found = self.document("show", "cve-2024-000003")["records"]
        names = [(each["affectedPlatform"], each["name"]) for each in found]
        cve = "CVE-2024-000003"
        self.assertEqual(names, [("alpine-3.20", cve), ("debian-12", cve), ("debian-12", "DSA-1")])
        found = self.document("show", cve, "--platform", "alpine-3.20")["records"]
        self.assertEqual([each["affectedPlatform"] for each in found], ["alpine-3.20"])
        shown = self.run_command("show", "DSA-1").stdout
        for text in ("openssl (m:1; x86_64)", "1.0 ≤ v < 1.2", "made-up", "fixed"):
            self.assertIn(text, shown)

    def test_show_none(self) -> None:
        """A search without a result exits with 1; a name must match as a whole; an unknown platform is wrong usage."""
        self.publish(20)
        self.assertEqual(self.document("show", "CVE-2024-00000", code=1)["records"], [])
        self.assertEqual(self.run_command("show", "package-1").exit_code, 1)
        self.publish([*followed_records("debian-12", ["curl"], "made-up"), *vulnerabilities(20)])
        self.assertEqual(self.document("show", "!followed", code=1)["records"], [])
        self.assertIn("alpine-3.20", self.refusal(2, "show", "CVE-1", "--platform", "alpine-3.20"))


class DiffTests(CommandCase):
    """``diff``."""

    def test_diff(self) -> None:
        """Added, changed and withdrawn records are listed in order of their names, and counted."""
        records = vulnerabilities(4000)
        old = self.publish(records)
        changed = evolve(records[2000], details_href="https://example.org/")
        new = self.publish([*records[1:2000], changed, *records[2001:], vulnerability(4000)], now=2000.0)
        document = self.document("diff", old.revision, new.revision[:12])
        expected = [("CVE-2024-000000", "withdrawn"), ("CVE-2024-002000", "changed"), ("CVE-2024-004000", "added")]
        self.assertEqual([(each["name"], each["change"]) for each in document["differences"]], expected)
        self.assertEqual(document["counts"], {"added": 1, "changed": 1, "withdrawn": 1})
        self.assertEqual((document["old"], document["new"]), (old.revision, new.revision))
        shown = self.run_command("diff", old.revision, new.revision).stdout.splitlines()
        self.assertEqual(shown[0].split(), ["withdrawn", "CVE-2024-000000"])
        self.assertEqual(shown[-1], "debian-12: 1 added, 1 changed, 1 withdrawn")

    def test_same(self) -> None:
        """A list does not differ from itself."""
        same = self.publish(20).revision
        self.assertEqual(self.document("diff", same, same)["differences"], [])

    def test_refused(self) -> None:
        """Unknown or ambiguous revisions, and revisions of different platforms, are wrong usage."""
        one, other = self.publish(20), self.publish(20, "alpine-3.20")
        self.assertIn("alpine-3.20", self.refusal(2, "diff", one.revision, other.revision))
        for start, problem in (("zz", "no snapshot has"), ("", "several snapshots have")):
            said = self.refusal(2, "diff", start, one.revision)
            expected = f"{problem} a revision that begins with '{start}'; see 'patches catalogue list'"
            self.assertEqual(said, f"Error: {expected}\n")


class CheckTests(CommandCase):
    """``check``."""

    def change(self, statement: str, *values: object) -> None:
        """Change the database directly, without the catalogue."""
        with sqlite3.connect(self.folder / "catalogue.sqlite") as connection:
            self.assertGreater(connection.execute(statement, values).rowcount, 0)
        connection.close()

    def found(self, snapshot: Snapshot) -> str:
        """Return the damage that was found, which must be in the given snapshot only."""
        document = self.document("check", code=1)
        self.assertEqual({each["revision"] for each in document["damage"]}, {snapshot.revision})
        return "; ".join(each["damage"] for each in document["damage"])

    def test_whole(self) -> None:
        """A catalogue that is intact passes the check."""
        self.publish(3000)
        self.publish(0, "alpine-3.20")
        self.assertEqual(self.document("check"), {"checked": 2, "damage": []})

    def test_damage(self) -> None:
        """Each kind of damage is found in its snapshot; other snapshots are not reported."""
        chunk = "WHERE revision = ? AND number = 1"
        for platform, statement, said in (
            ("a-1", f"UPDATE chunks SET encoded = zeroblob(40) {chunk}", "chunk 1: not gzip"),
            ("a-2", f"UPDATE chunks SET encoded = substr(encoded, 1, length(encoded) - 9) {chunk}", "one whole gzip"),
            ("a-3", f"UPDATE chunks SET encoded = CAST(encoded || x'00' AS BLOB) {chunk}", "one whole gzip"),
            ("a-4", f"UPDATE chunks SET digest = zeroblob(32) {chunk}", "chunk 1: its digest"),
            ("a-5", f"UPDATE chunks SET vulnerabilities = 7 {chunk}", "chunk 1: it does not have 7 lines"),
            ("a-6", f"DELETE FROM chunks {chunk}", "chunk 1: missing"),
            ("a-7", "UPDATE snapshots SET vulnerabilities = 9 WHERE revision = ?", "its description was changed"),
            ("a-8", "UPDATE snapshots SET chunks = 1 WHERE revision = ?", "its description was changed"),
            ("a-9", "UPDATE snapshots SET digest = 'ff' WHERE revision = ?", "its description was changed"),
            ("a-10", "UPDATE snapshots SET checked = checked + 1 WHERE revision = ?", "its description was changed"),
        ):
            snapshot = self.publish(3000, platform)
            self.change(statement, snapshot.revision)
            self.assertIn(said, self.found(snapshot))
            self.change("DELETE FROM snapshots WHERE revision = ?", snapshot.revision)

    def test_line(self) -> None:
        """Each damage is printed on its own line, with platform and revision."""
        snapshot = self.publish(3000)
        self.change("UPDATE chunks SET digest = zeroblob(32) WHERE number = 1")
        ran = self.run_command("check")
        self.assertEqual(ran.exit_code, 1)
        self.assertTrue(ran.stdout.startswith(f"debian-12 {snapshot.revision}: chunk 1: its digest"))


class ChangeTests(CommandCase):
    """``publish`` and ``prune``."""

    def test_publish(self) -> None:
        """A list that was held back becomes current; it cannot be published twice."""
        self.publish(20)
        held_back = self.catalogue.publish("debian-12", lines(vulnerabilities(3)), SOURCES, 3000.0, Guard().objection)
        ran = self.run_command("publish", "debian-12")
        self.assertEqual((ran.exit_code, held_back.revision in ran.stdout), (0, True))
        self.assertEqual([each.revision for each in self.catalogue.current()], [held_back.revision])
        self.assertIn("no list is held back", self.refusal(2, "publish", "debian-12"))

    def test_prune(self) -> None:
        """Snapshots that were replaced long ago are deleted; current ones are kept."""
        self.publish(20)
        old, new = self.publish(21, now=2000.0), self.publish(22, now=time.time() - 600)
        self.assertEqual(self.run_command("prune").stdout, "1 snapshot deleted\n")
        self.assertIsNotNone(self.catalogue.find(old.revision))
        self.assertEqual(self.run_command("prune", "--keep", "5m").stdout, "1 snapshot deleted\n")
        self.assertEqual(self.catalogue.snapshots(), [new])
