"""Tests for :mod:`patches.server.refresh.repair.damaged_lists`: damage is marked, shown, and mended."""

from __future__ import annotations

import json

from patches.errors import SourceError
from patches.server.catalogue.delta import delta_name
from tests.server.fake_catalogue import vulnerabilities
from tests.server.repair_case import RepairCase
from tests.server.server_case import bulky

FLIPPED = "UPDATE chunks SET encoded = zeroblob(40) WHERE revision = :revision AND number = :number"


class DamagedChunkTests(RepairCase):
    """A chunk of the list that is read is damaged."""

    def test_session_ends_and_comes_back(self) -> None:
        """Its sessions end with the reason; they may be resumed once the list was made anew, and get the rest."""
        self.change(FLIPPED, revision=self.revision(), number=2)
        path = self.open()
        said = self.refused(self.read(path, 0), 410, "expired")
        self.assertIn("damaged", said["message"])
        resume = {"resume": path.rpartition("/")[2], "chunk": 0}
        answer = self.post(resume)
        self.refused(answer, 503, "list-damaged")
        self.assertEqual(answer.headers["retry-after"], "2")
        self.go_on()
        answer = self.post(resume)
        self.assertEqual(answer.status, 201)
        self.assertEqual([self.read(path, n).status for n in range(4)], [200] * 4)

    def test_shown(self) -> None:
        """Until it is made anew, it is not ready, new sessions are refused, and the metric says so."""
        self.change(FLIPPED, revision=self.revision(), number=0)
        self.source.trouble = SourceError("away")
        self.lists.forget_sources(())
        self.refused(self.read(self.open(), 0), 410, "expired")
        self.go_on()
        ready = self.ready()
        self.assertEqual((ready["status"], ready["ready"], list(ready["damaged"])), (503, False, ["debian-12"]))
        self.refused(self.post({"platform": "debian-12"}), 503, "list-damaged")
        self.assertEqual(self.post({"platform": "alpine-3.20"}).status, 201)
        self.assertIn(b'patches_snapshot_damaged{platform="debian-12"} 1.0', self.metrics.render())

    def test_known_after_a_restart(self) -> None:
        """The mark is in the catalogue: another server, or one that is restarted, does not serve the list either."""
        self.refresh.registry.note_damage(self.revision(), "chunk 0: it is torn")
        self.catalogue.mark_damaged(self.revision(), "chunk 0: it is torn")
        self.start()
        self.successResultOf(self.started())
        self.refused(self.post({"platform": "debian-12"}), 503, "list-damaged")
        self.begin()
        self.go_on()
        self.assertEqual(self.post({"platform": "debian-12"}).status, 201)

    def test_every_column(self) -> None:
        """Each damage of a chunk's row is found when it is loaded, and mended."""
        revision = self.revision()
        for statement in (
            "SET encoded = CAST(substr(encoded, 1, 40) || x'00ff' || substr(encoded, 43) AS BLOB)",
            "SET digest = zeroblob(32)",
            "SET digest = 5",
            "SET encoded = 'text'",
            "SET vulnerabilities = vulnerabilities + 1",
            "SET number = number + 64",
            "SET revision = 'other'",
        ):
            self.change(f"UPDATE chunks {statement} WHERE revision = :revision AND number = 2", revision=revision)
            self.assertEqual(self.read(self.open(), 0).status, 410, statement)
            self.go_on()
            path = self.open()
            self.assertEqual([self.read(path, n).status for n in range(4)], [200] * 4, statement)
            self.session_service._follow(self.session_service.sessions.windows.close_idle(1e9))

    def test_first_scanner(self) -> None:
        """A first scanner that meets the damage makes it known as well."""
        self.change(FLIPPED, revision=self.revision(), number=0)
        self.assertEqual(self.ask("GET", "/vulns?platform=debian-12").status, 410)
        self.assertEqual(self.ready()["status"], 503)
        self.go_on()
        self.assertEqual(self.ready()["status"], 200)


class StagedListTests(RepairCase):
    """The staged list is damaged too."""

    def test_read_anew(self) -> None:
        """The list is read anew from its source at once, and not only when it is due."""
        asked = self.source.asked.count("debian-12")
        self.lists._database.execute("UPDATE lines SET line = x'7b7d0a' WHERE platform = 'debian-12'")
        self.change(FLIPPED, revision=self.revision(), number=0)
        self.refused(self.read(self.open(), 0), 410, "expired")
        for _ in range(3):
            self.go_on()
        self.assertEqual(self.source.asked.count("debian-12"), asked + 1)
        self.assertEqual((self.ready()["status"], self.count()), (200, 9))

    def test_lost(self) -> None:
        """A staging store that lost everything is filled anew."""
        self.lists._converted(self.malformed())
        for _ in range(3):
            self.go_on()
        self.assertEqual((self.lists.facts("debian-12")["put"]["read"], self.count()), (9, 9))

    def malformed(self) -> Exception:
        """Return the error of a file that is no database."""
        import sqlite3

        error = sqlite3.DatabaseError("malformed")
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT  # type: ignore[attr-defined]
        return error


class DescriptionTests(RepairCase):
    """The description of a snapshot is damaged."""

    def test_every_column(self) -> None:
        """A snapshot whose description was changed is made anew, with the same content."""
        before = self.revision()
        for column in ("platform", "digest", "sources", "created", "checked", "chunks", "vulnerabilities"):
            for value in ("'x'", "9", "NULL") if column == "held" else ("'debian-1'", "9"):
                self.change(f"UPDATE snapshots SET {column} = {value} WHERE revision = '{before}'")
                self.go_on(11)
                self.go_on()
                self.assertEqual((self.revision(), self.ready()["status"]), (before, 200), column)
                row = self.refresh.registry.current("debian-12")
                self.assertEqual((row.vulnerabilities, row.chunks, row.publication), (9, 3, 1), column)
        self.assertEqual(self.catalogue.unsealed(), [])


class HeldBackTests(RepairCase):
    """The snapshot that is held back is damaged."""

    def test_held_back(self) -> None:
        """It is not accepted, and is made anew; then it can be accepted."""
        self.put("alpine-3.20", 1)
        self.go_on(7200)
        (held,) = self.catalogue.held_back()
        self.change(FLIPPED, revision=held.revision, number=0)
        self.refresh.leads = lambda: False
        self.scrub_all()
        self.go_on()
        with self.assertRaisesRegex(Exception, "held back is damaged"):
            self.catalogue.accept("alpine-3.20", 1.0)
        self.refresh.leads = lambda: True
        self.go_on()
        self.go_on()
        accepted = self.catalogue.accept("alpine-3.20", 1.0)
        assert accepted is not None
        self.assertEqual((accepted.revision, accepted.vulnerabilities), (held.revision, 1))


class DeltaTests(RepairCase):
    """A delta is damaged."""

    def setUp(self) -> None:
        super().setUp()
        self.old = self.revision()
        self.source.lists["debian-12"] = [*bulky(9), *vulnerabilities(12)[9:]]
        self.go_on(7200)
        self.go_on()
        self.name = delta_name(self.old, self.revision())

    def test_chunk(self) -> None:
        """A session that reads it ends, and can be resumed once it was computed anew."""
        self.change(FLIPPED, revision=self.name, number=0)
        answer = self.post({"platform": "debian-12", "since": self.old})
        self.assertIn("delta", json.loads(answer.body))
        path = answer.headers["location"]
        self.refused(self.read(path, 0), 410, "expired")
        resume = {"resume": path.rpartition("/")[2], "chunk": 0}
        self.refused(self.post(resume), 503, "list-damaged")
        self.go_on()
        self.assertEqual(self.post(resume).status, 201)
        self.assertEqual(self.read(path, 0).status, 200)

    def test_description(self) -> None:
        """A delta whose description was changed is not used, and is computed anew."""
        for column in ("since", "revision", "changes", "chunks"):
            self.change(f"UPDATE deltas SET {column} = 7")
            self.deltas._names = self.deltas._taken_up = None
            self.go_on()
            self.assertIsNone(self.deltas.find(self.old, self.refresh.registry.current("debian-12")), column)
            self.scrub_all()
            self.go_on()
            self.assertIsNotNone(self.deltas.find(self.old, self.refresh.registry.current("debian-12")), column)

    def test_replaced(self) -> None:
        """A list that was replaced, and is damaged, is deleted."""
        self.change(FLIPPED, revision=self.old, number=0)
        self.scrub_all()
        self.go_on()
        self.assertIsNone(self.catalogue.find(self.old))
        self.assertEqual(self.ready()["status"], 200)
