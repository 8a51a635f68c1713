"""Tests of deltas: a scanner is sent the changes to its list if they are shorter than the new list."""

from __future__ import annotations

import gzip
import json
from typing import Any

from twisted.internet.defer import ensureDeferred, maybeDeferred

from patches.server.catalogue.delta import Delta, delta_name
from patches.server.catalogue.deltas import Deltas
from patches.server.catalogue.pruning import MinimumAge
from patches.server.catalogue.snapshot import Snapshot
from patches.wire import rfc3339
from tests.server.databases import OnPostgreSQL
from tests.server.fake_catalogue import vulnerabilities, vulnerability
from tests.server.fake_source import HOUR, NOW
from tests.server.server_case import ServerCase


class DeltasCase(ServerCase):
    """A server whose list of Alpine changes."""

    def setUp(self) -> None:
        super().setUp()
        self.put("alpine-3.20", 500)
        self.go_on(HOUR)
        self.old = self.current()

    def current(self) -> Snapshot:
        """Return the current list of Alpine."""
        return self.refresh.registry.current("alpine-3.20")

    def go_on(self, seconds: float = 11, leads: bool = True) -> None:
        """Advance the time, refresh what is due, and compute deltas."""
        self.tick(seconds)
        current = [status.snapshot for status in self.refresh.statuses.values() if status.snapshot]
        self.successResultOf(ensureDeferred(self.deltas.tick(current, leads)))

    def change(self, count: int) -> Snapshot:
        """Change the first records. Return the new snapshot."""
        records = vulnerabilities(500, "alpine-3.20")
        self.source.lists["alpine-3.20"] = [
            *(vulnerability(n, "alpine-3.20", f"https://{self.clock.seconds()}") for n in range(count)),
            *records[count:],
        ]
        self.tick(HOUR)
        return self.current()


class MakingTests(DeltasCase):
    """The deltas that are computed."""

    def test_made(self) -> None:
        """After a publication a delta to the new list is computed, for the last list and for earlier ones."""
        middle = self.change(2)
        self.assertIsNone(self.deltas.find(self.old.revision, middle))
        self.go_on()
        new = self.change(3)
        self.go_on()
        for since, changes in ((self.old, 3), (middle, 3)):
            delta = self.deltas.find(since.revision, new)
            assert delta is not None
            self.assertEqual((delta.since, delta.changes, delta.chunks), (since.revision, changes, 1))
            self.assertEqual(sum(delta.cuts), 500)
        self.assertIsNone(self.deltas.find(self.old.revision, middle))
        for nonsense in (new.revision, "", None, 7, ["r"]):
            self.assertIsNone(self.deltas.find(nonsense, new))

    def test_back_again(self) -> None:
        """A delta is also computed to a list that returns to earlier content."""
        middle = self.change(2)
        self.go_on()
        self.put("alpine-3.20", 500)
        self.go_on(HOUR)
        self.assertEqual(self.current().revision, self.old.revision)
        self.assertIsNotNone(self.deltas.find(middle.revision, self.current()))

    def test_too_much(self) -> None:
        """A delta that is larger than half of the list is not stored, nor is any part of it."""
        new = self.change(400)
        before = self.store.names()
        self.go_on()
        self.assertIsNone(self.deltas.find(self.old.revision, new))
        self.assertEqual(self.store.names(), before)

    def test_no_memory(self) -> None:
        """Deltas that cannot be granted memory are computed later."""
        new = self.change(2)
        self.budget.take("refresh", self.budget.free("refresh"))
        self.go_on()
        self.assertIsNone(self.deltas.find(self.old.revision, new))
        self.budget.release("refresh", self.budget.used["refresh"])
        self.go_on(1)
        self.assertIsNotNone(self.deltas.find(self.old.revision, new))

    def test_follows(self) -> None:
        """A server that does not lead computes no deltas, but finds those of the leader."""
        new = self.change(2)
        self.go_on(leads=False)
        self.assertEqual(self.store.names(), set())
        leader = Deltas(self.catalogue, self.store, self.budget, maybeDeferred, self.clock)
        self.successResultOf(ensureDeferred(leader.tick([new], True)))
        self.go_on(10, leads=False)
        self.assertEqual(self.deltas.find(self.old.revision, new), leader.find(self.old.revision, new))

    def test_restart(self) -> None:
        """A server that starts finds the stored deltas, and does not compute them again."""
        new = self.change(2)
        self.go_on()
        self.start()
        self.successResultOf(self.started())
        self.patch(self.store, "put", self.fail)
        self.go_on()
        self.assertIsNotNone(self.deltas.find(self.old.revision, new))

    def test_pruned(self) -> None:
        """A delta is deleted once its target list was replaced long ago, unless a session reads it."""
        new = self.change(2)
        self.go_on()
        name = delta_name(self.old.revision, new.revision)
        later = self.change(3)
        self.go_on()
        self.catalogue.prune(set(), MinimumAge(0.0))
        self.assertIn(name, self.store.names())
        self.catalogue.prune({name}, MinimumAge(1e12))
        self.assertIn(name, self.store.names())
        self.catalogue.prune(set(), MinimumAge(1e12))
        self.assertNotIn(name, self.store.names())
        self.assertIn(delta_name(new.revision, later.revision), self.store.names())
        self.assertEqual(self.chunks_without_a_list(), 0)

    def chunks_without_a_list(self) -> int:
        """Count the chunks that belong neither to a list nor to a delta."""
        query = (
            "SELECT count(*) FROM chunks WHERE revision NOT IN (SELECT revision FROM snapshots)"
            " AND revision NOT IN (SELECT name FROM deltas)"
        )
        with self.catalogue._engine.connect() as connection:
            return int(connection.exec_driver_sql(query).scalar_one())

    def test_named(self) -> None:
        """A delta is found by its own name while its target list is in the catalogue."""
        new = self.change(2)
        self.go_on()
        name = delta_name(self.old.revision, new.revision)
        found = self.successResultOf(ensureDeferred(self.deltas.named(name)))
        assert found is not None
        self.assertEqual((found.since, found.snapshot.revision), (self.old.revision, new.revision))
        self.assertIsNone(self.successResultOf(ensureDeferred(self.deltas.named(new.revision))))


class MakingOnPostgreSQLTests(OnPostgreSQL, MakingTests):
    """Deltas are computed in the same way on PostgreSQL."""


class ServingTests(DeltasCase):
    """Sessions of scanners that already have a list."""

    def setUp(self) -> None:
        super().setUp()
        self.new = self.change(2)
        self.go_on()

    def since(self, revision: object) -> dict[str, Any]:
        """Open a session that names the revision that the scanner has."""
        answer = self.post({"platform": "alpine-3.20", "since": revision})
        self.assertEqual(answer.status, 201)
        document: dict[str, Any] = json.loads(answer.body)
        return document

    def test_served(self) -> None:
        """The session states the base of its delta and the cuts of the list; the end describes the whole list."""
        document = self.since(self.old.revision)
        self.assertEqual(document["snapshot"]["revision"], self.new.revision)
        size = document["delta"].pop("bytes")
        self.assertEqual(document["delta"], {"since": self.old.revision, "changes": 2, "chunks": 1, "cuts": [500]})
        path = f"/v1/sessions/{document['session']}"
        changes = [json.loads(line) for line in gzip.decompress(self.read(path, 0).body).splitlines()]
        self.assertEqual(len(gzip.decompress(self.read(path, 0).body)), size)
        self.assertEqual([each["change"] for each in changes], ["changed", "changed"])
        self.assertEqual([each["name"] for each in changes], ["CVE-2024-000000", "CVE-2024-000001"])
        self.assertEqual([len(each["vulnerabilities"]) for each in changes], [1, 1])
        end = json.loads(self.read(path, 1).body)
        self.assertEqual(
            end,
            {
                "finished": True,
                "chunks": 1,
                "vulnerabilities": 500,
                "digest": self.new.digest,
                "revision": self.new.revision,
                "unread": 0,
            },
        )

    def test_not_here(self) -> None:
        """A scanner whose revision is unknown or missing is sent the whole list."""
        for revision in ("0" * 32, "", None):
            document = self.since(revision)
            self.assertNotIn("delta", document)
            self.ask("DELETE", f"/v1/sessions/{document['session']}")

    def test_other_platform(self) -> None:
        """A scanner whose revision is of another platform is sent the whole list."""
        answer = self.post({"platform": "debian-12", "since": self.old.revision})
        self.assertNotIn("delta", json.loads(answer.body))

    def test_checked(self) -> None:
        """The session of a delta states when the list was last checked, not when the delta was computed."""
        self.tick(HOUR)
        self.assertEqual(self.since(self.old.revision)["snapshot"]["checked"], rfc3339(NOW + self.clock.seconds()))

    def test_queued(self) -> None:
        """A queued session learns at once that it will be sent a delta."""
        for _ in range(2):
            self.open("alpine-3.20")
        document = self.since(self.old.revision)
        self.assertEqual((document["state"], "snapshot" in document), ("queued", False))
        self.assertEqual(document["delta"]["since"], self.old.revision)

    def test_resumed(self) -> None:
        """After a restart a session resumes its delta, even if the list was replaced in the meantime."""
        token = self.since(self.old.revision)["session"]
        first = self.read(f"/v1/sessions/{token}", 0).body
        self.start()
        self.successResultOf(self.started())
        self.change(3)
        self.go_on()
        answer = self.post({"resume": token, "chunk": 0})
        document = json.loads(answer.body)
        self.assertEqual((answer.status, document["snapshot"]["revision"]), (201, self.new.revision))
        self.assertEqual(document["delta"]["since"], self.old.revision)
        self.assertEqual(self.read(f"/v1/sessions/{token}", 0).body, first)

    def test_in_use(self) -> None:
        """A delta that is being read is in use, so that it is not deleted."""
        self.since(self.old.revision)
        self.assertIn(delta_name(self.old.revision, self.new.revision), self.session_service.revisions_in_use())

    def test_little_memory(self) -> None:
        """The window of a delta is granted no more memory than its chunks can take."""
        before = self.budget.used["window"]
        self.since(self.old.revision)
        self.assertLess(self.budget.used["window"] - before, self.window_bytes / 2)

    def test_type(self) -> None:
        """A delta is readable like a snapshot: it has a revision, a platform and chunks of its own."""
        delta = self.deltas.find(self.old.revision, self.new)
        assert isinstance(delta, Delta)
        self.assertEqual(delta.platform, "alpine-3.20")
        self.assertEqual(self.catalogue.chunk(delta.revision, 0).vulnerabilities, delta.changes)
