"""Tests for :mod:`patches.server.http.representations`."""

from __future__ import annotations

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from patches.server.http.representations import (
    finished_document,
    platforms_document,
    poll_after,
    session_document,
    snapshot_document,
)
from patches.server.refresh.refresher import ListStatus
from patches.server.sessions.session import Limits
from patches.server.sessions.states import State
from patches.wire import rfc3339
from tests.server.fake_catalogue import snapshot
from tests.server.session_case import ReadingCase


class SessionDocumentTests(ReadingCase):
    """The documents of sessions."""

    limits = Limits(max_active=1, session_timeout=30, queue_timeout=60)

    def test_queued(self) -> None:
        """The document of a queued session states its position, and nothing of its snapshot."""
        self.open()
        queued = self.open()
        self.assertEqual(
            session_document(queued, self.service),
            {
                "session": queued.token,
                "platform": "debian-12",
                "state": "queued",
                "queuePosition": 0,
                "expectedWait": 0.1,
                "pollAfter": 0.25,
                "expiresAfter": 60,
                "chunk": 0,
            },
        )

    def test_from_activation_on(self) -> None:
        """From its activation on the document of a session describes its snapshot."""
        session = self.open()
        document = session_document(session, self.service)
        self.assertEqual((document["queuePosition"], document["expiresAfter"]), (None, 30))
        self.assertEqual(document["snapshot"]["chunks"], 4)
        self.read_all(session)
        self.assertIn("snapshot", session_document(session, self.service))

    def test_poll_in_time(self) -> None:
        """A session polls after half of the expected wait, but never so late that it would have expired by then."""
        limits = Limits(session_timeout=2, queue_timeout=40)
        waits = [poll_after(State.QUEUED, expected, limits) for expected in (0.0, 6.0, 1000.0)]
        self.assertEqual(waits, [0.25, 3.0, 10.0])
        self.assertEqual(poll_after(State.ACTIVE, 0.0, limits), 0.5)


class DocumentTests(SynchronousTestCase):
    """The documents of platforms and of the end of a stream."""

    def test_finished(self) -> None:
        """The document of the end states the counts and the digest that a reader must have found."""
        self.assertEqual(
            finished_document(snapshot()),
            {"finished": True, "chunks": 4, "vulnerabilities": 40, "digest": "00" * 32, "revision": "r1", "unread": 0},
        )

    def test_unread(self) -> None:
        """The documents of a snapshot count the entries of its sources that were lost."""
        skipped = {"not a record": 4, "unknown release: x": 3, "withdrawn": 9}
        lossy = evolve(snapshot(), sources={"osv": {"read": 40, "skipped": skipped}})
        self.assertEqual((finished_document(lossy)["unread"], snapshot_document(lossy)["unread"]), (7, 7))

    def test_platforms(self) -> None:
        """Platforms are ordered by name; a platform without a list has no revision and no age."""
        statuses = {"b-1": ListStatus(snapshot(platform="b-1")), "a-1": ListStatus(error="away", failures=3)}
        first, second = platforms_document(statuses, {}, 12.34)["platforms"]
        self.assertEqual((first["platform"], first["revision"], first["ageSeconds"]), ("a-1", None, None))
        refresh = {"failures": 3, "error": "away", "alarm": None, "damage": None, "empty": False, "stillGrowing": False}
        self.assertEqual(first["refresh"], refresh)
        self.assertEqual((second["revision"], second["ageSeconds"]), ("r1", 12.3))

    def test_left_out(self) -> None:
        """Names that sources cannot offer are listed with their reasons, in printable characters; 100 at most."""
        names = {f"name-{number:03}": "why" for number in range(150)} | {"a\n": "why"}
        found = platforms_document({}, {"clair": names}, 0.0)["leftOut"]
        self.assertEqual(found[0], {"source": "clair", "name": "a\\n", "reason": "why"})
        self.assertEqual(len(found), 100)

    def test_time(self) -> None:
        """Times are in RFC 3339 format, in UTC."""
        self.assertEqual(rfc3339(1_700_000_000.9), "2023-11-14T22:13:20Z")
