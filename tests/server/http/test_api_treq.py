"""Tests for :mod:`patches.server.http.api` with treq, a common client, on the channel of Twisted."""

from __future__ import annotations

from typing import Any

from treq.testing import StubTreq
from twisted.internet.defer import Deferred

from patches.server.budget import RESPONSES
from patches.server.sessions.session import Limits
from patches.wire import StreamDigest, decode_lines, digest, parse_repr_digest
from tests.server.server_case import ServerCase, bulky


class TreqTests(ServerCase):
    """A client on the plain channel of Twisted, not on that of Patches."""

    limits = Limits(max_active=1, max_queued=5, chunk_timeout=1000)

    def setUp(self) -> None:
        super().setUp()
        self.treq: Any = StubTreq(self.resource)

    def of(self, waiting: Deferred[Any]) -> Any:
        """Return the result of a Deferred that has fired."""
        return self.successResultOf(waiting)

    def open(self, platform: str = "debian-12") -> str:
        """Open a session."""
        answer = self.of(self.treq.post("http://patches/v1/sessions", json={"platform": platform}))
        self.assertEqual(answer.code, 201)
        (location,) = answer.headers.getRawHeaders("Location")
        return f"http://patches{location}"

    def test_walk(self) -> None:
        """A client reads the whole list, and can verify it."""
        session = self.open()
        snapshot = self.of(self.treq.json_content(self.of(self.treq.get(session))))["snapshot"]
        stream, records = StreamDigest(), []
        for n in range(snapshot["chunks"]):
            answer = self.of(self.treq.get(f"{session}/chunks/{n}"))
            body = self.of(self.treq.content(answer))
            self.assertEqual(parse_repr_digest(answer.headers.getRawHeaders("Repr-Digest")[0]), digest(body))
            stream.add(digest(body))
            records += decode_lines(body)
        end = self.of(self.treq.json_content(self.of(self.treq.get(f"{session}/chunks/{snapshot['chunks']}"))))
        self.assertEqual((end["finished"], end["digest"]), (True, stream.hexdigest()))
        self.assertEqual(end["vulnerabilities"], len(records))
        self.assertEqual(records, bulky(9))
        self.assertEqual(self.of(self.treq.delete(session)).code, 204)
        self.assertEqual(self.budget.used[RESPONSES], 0)

    def test_waits(self) -> None:
        """A client waits for its turn for as long as it prefers."""
        first, second = self.open(), self.open()
        waiting = self.treq.get(f"{second}/chunks/0", headers={"Prefer": "wait=10"})
        self.assertNoResult(waiting)
        self.of(self.treq.delete(first))
        self.treq.flush()
        self.assertEqual(self.of(waiting).code, 200)

    def test_waits_in_vain(self) -> None:
        """A client does not wait longer than it prefers."""
        _, second = self.open(), self.open()
        waiting = self.treq.get(f"{second}/chunks/0", headers={"Prefer": "wait=10"})
        self.clock.advance(10)
        self.treq.flush()
        answer = self.of(waiting)
        self.assertEqual((answer.code, answer.headers.getRawHeaders("Retry-After")), (202, ["5"]))

    def test_error(self) -> None:
        """An error is a JSON document."""
        answer = self.of(self.treq.post("http://patches/v1/sessions", json={"platform": "amiga-3"}))
        document = self.of(self.treq.json_content(answer))
        self.assertEqual((answer.code, document["error"]["code"]), (404, "unknown-platform"))
