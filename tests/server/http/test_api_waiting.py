"""Tests for :mod:`patches.server.http.api`: requests that wait, for how long, and how they end."""

from __future__ import annotations

import json

from patches.server.sessions.session import Limits
from tests.server.memory_transport import Answer, Wire, answers, request
from tests.server.server_case import GZIP, ServerCase


class WaitingCase(ServerCase):
    """A case with one active session, and one that is queued behind it."""

    limits = Limits(max_active=1, max_queued=5, session_timeout=30, queue_timeout=40, chunk_timeout=1000)

    def setUp(self) -> None:
        super().setUp()
        self.active, self.queued = self.open(), self.open()

    def park(self, path: str, wait: str = "wait=20", method: str = "GET") -> Wire:
        """Send a request that waits."""
        wire = self.connect()
        wire.send(request(method, path, {**GZIP, "Prefer": wait}))
        return wire

    def answer(self, wire: Wire) -> Answer:
        """Return the single response that was received."""
        (answer,) = answers(wire.received)
        return answer

    def turn(self) -> None:
        """End the active session, so that the queued one is activated."""
        self.ask("DELETE", self.active)


class PollingTests(WaitingCase):
    """Clients that do not prefer to wait."""

    def test_queued(self) -> None:
        """A queued session learns its position, and when to ask again."""
        answer = self.read(self.queued, 0)
        self.assertEqual((answer.status, answer.headers["retry-after"]), (202, "1"))
        expected = {"state": "queued", "queuePosition": 0, "expectedWait": 0.1, "pollAfter": 0.25}
        self.assertEqual(json.loads(answer.body), expected)

    def test_not_its_turn(self) -> None:
        """A queued session that asks for a chunk other than its first is out of order."""
        self.refused(self.read(self.queued, 1), 409, "out-of-order")

    def test_sign_of_life(self) -> None:
        """A request is a sign of life of its session."""
        for _ in range(4):
            self.clock.advance(25)
            self.read(self.active, 0)
            self.read(self.queued, 0)
            self.session_service.tick()
        self.assertEqual(len(self.session_service.sessions), 2)

    def test_odd_preferences(self) -> None:
        """A preference that cannot be understood is ignored."""
        for value in ("wait", "wait=", "wait=x", "wait=-1", "wait=0", "respond-async"):
            answer = self.ask("GET", f"{self.queued}/chunks/0", {**GZIP, "Prefer": value})
            self.assertEqual((answer.status, value), (202, value))


class ParkedTests(WaitingCase):
    """Clients that prefer to wait."""

    def test_chunk(self) -> None:
        """A waiting request is answered as soon as its chunk can be served."""
        wire = self.park(f"{self.queued}/chunks/0")
        self.assertEqual(wire.received, b"")
        self.turn()
        answer = self.answer(wire)
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.raw, self.read(self.queued, 0).raw)

    def test_nothing_to_say(self) -> None:
        """A request whose preferred time has passed is answered with the state of its session."""
        wire = self.park(f"{self.queued}/chunks/0", "wait=7")
        self.clock.advance(6.9)
        self.assertEqual(wire.received, b"")
        self.clock.advance(0.1)
        self.assertEqual(self.answer(wire).status, 202)

    def test_bounded(self) -> None:
        """A request does not wait so long that its session seems silent."""
        wire = self.park(f"{self.queued}/chunks/0", "wait=999999")
        self.clock.advance(18)
        self.assertEqual(self.answer(wire).status, 202)

    def test_look(self) -> None:
        """A request for the document of a queued session waits until the session is active."""
        wire = self.park(self.queued)
        self.assertEqual(wire.received, b"")
        self.turn()
        self.assertEqual(json.loads(self.answer(wire).body)["state"], "active")

    def test_look_active(self) -> None:
        """A request for the document of an active session does not wait."""
        self.assertEqual(json.loads(self.answer(self.park(self.active)).body)["state"], "active")

    def test_look_in_vain(self) -> None:
        """A request whose session is still queued when its time has passed is answered with the position."""
        wire = self.park(self.queued, "wait=3")
        self.clock.advance(3)
        self.assertEqual(json.loads(self.answer(wire).body)["queuePosition"], 0)

    def test_expired(self) -> None:
        """A request that waits for a session, in either way, fails at once when the session expires."""
        wires = [self.park(self.queued), self.park(f"{self.queued}/chunks/0")]
        self.session_service.sessions.get(self.queued.rpartition("/")[2]).seen = -100
        self.session_service.tick()
        for wire in wires:
            self.refused(self.answer(wire), 410, "expired")

    def test_closed(self) -> None:
        """A request that waits for a session fails at once when the session is ended."""
        wires = [self.park(self.queued), self.park(f"{self.queued}/chunks/0")]
        self.ask("DELETE", self.queued)
        for wire in wires:
            self.refused(self.answer(wire), 410, "expired")

    def test_resumed(self) -> None:
        """A request that waits for a session fails when another request resumes the session elsewhere."""
        wires = [self.park(self.queued), self.park(f"{self.queued}/chunks/0")]
        self.post({"resume": self.queued.rpartition("/")[2], "chunk": 2})
        for wire in wires:
            self.refused(self.answer(wire), 409, "resumed")

    def test_stopping(self) -> None:
        """All waiting requests are answered when the server stops."""
        wires = [self.park(self.queued), self.park(f"{self.queued}/chunks/0")]
        self.session_service.stop()
        for wire in wires:
            self.refused(self.answer(wire), 503, "stopping")

    def test_two_requests(self) -> None:
        """Two requests for the same chunk are both answered."""
        wires = [self.park(f"{self.queued}/chunks/0") for _ in range(2)]
        self.turn()
        self.assertEqual([self.answer(wire).status for wire in wires], [200, 200])

    def test_head(self) -> None:
        """A HEAD request waits as well."""
        wire = self.park(f"{self.queued}/chunks/0", method="HEAD")
        self.turn()
        (answer,) = answers(wire.received, head_only=True)
        self.assertEqual(answer.status, 200)


class PatientTests(WaitingCase):
    """Sessions that may be silent for long."""

    limits = Limits(max_active=1, max_queued=5, session_timeout=1000, queue_timeout=1000, chunk_timeout=1000)

    def test_bounded(self) -> None:
        """A request does not wait longer than a connection may be idle, whatever it prefers."""
        wire = self.park(f"{self.queued}/chunks/0", "wait=500")
        self.clock.advance(24.9)
        self.assertEqual(wire.received, b"")
        self.clock.advance(0.1)
        self.assertEqual(self.answer(wire).status, 202)


class HangingUpTests(WaitingCase):
    """Clients that disconnect."""

    def test_waits_no_longer(self) -> None:
        """A client that disconnects leaves no waiting request behind, and its session keeps its place."""
        for path in (self.queued, f"{self.queued}/chunks/0"):
            wire = self.park(path)
            self.assertTrue(self.session_service._waiting)
            wire.hang_up()
            self.assertEqual(len(self.session_service._waiting), 0)
        self.turn()
        self.assertEqual(self.read(self.queued, 0).status, 200)

    def test_clock(self) -> None:
        """A client that disconnects leaves no delayed call behind."""
        calls = len(self.clock.getDelayedCalls())
        self.park(f"{self.queued}/chunks/0").hang_up()
        self.assertEqual(len(self.clock.getDelayedCalls()), calls)

    def test_others_wait_on(self) -> None:
        """The disconnection of a client does not affect others that wait for the same chunk."""
        wires = [self.park(f"{self.queued}/chunks/0") for _ in range(2)]
        wires[0].hang_up()
        self.turn()
        self.assertEqual(self.answer(wires[1]).status, 200)


class WindowTests(ServerCase):
    """Clients that wait for the window to slide."""

    window_bytes = 70 * 1024

    def setUp(self) -> None:
        super().setUp()
        self.slow, self.quick = self.open(), self.open()
        for path in (self.slow, self.quick):
            self.read(path, 0)

    def test_poll(self) -> None:
        """A client that is ahead learns to come back soon; once the slow client has moved on, its chunk is served."""
        answer = self.read(self.quick, 1)
        self.assertEqual((answer.status, answer.headers["retry-after"]), (202, "1"))
        self.assertEqual(json.loads(answer.body)["state"], "active")
        self.read(self.slow, 1)
        self.assertEqual(self.read(self.quick, 1).status, 200)

    def test_parked(self) -> None:
        """A client that is ahead and prefers to wait is answered once the slow client has moved on."""
        wire = self.connect()
        wire.send(request("GET", f"{self.quick}/chunks/1", {**GZIP, "Prefer": "wait=10"}))
        self.assertEqual(wire.received, b"")
        slow = self.read(self.slow, 1)
        self.assertEqual([answer.raw for answer in answers(wire.received)], [slow.raw])

    def test_slow_one_expires(self) -> None:
        """A client that is ahead is answered once the slow session has expired."""
        wire = self.connect()
        for _ in range(22):
            self.clock.advance(1)
            if self.clock.seconds() % 10 == 1:
                wire.received = b""
                wire.send(request("GET", f"{self.quick}/chunks/1", {**GZIP, "Prefer": "wait=10"}))
                self.ask("GET", self.slow)
            self.session_service.tick()
        self.assertEqual(answers(wire.received)[-1].status, 200)
        self.refused(self.ask("GET", self.slow), 410, "expired")
