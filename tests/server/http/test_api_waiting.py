"""Tests for :mod:`patches.server.http.api`: who waits, for how long, and what happens meanwhile."""

from __future__ import annotations

import json

from patches.server.sessions.table import Limits
from tests.server.memory_transport import Answer, Wire, answers, request
from tests.server.server_case import GZIP, ServerCase


class WaitingCase(ServerCase):
    """A case with one session that reads, and one that has to wait for it."""

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
        """Return the one answer that came."""
        (answer,) = answers(wire.received)
        return answer

    def turn(self) -> None:
        """End the session that reads: it is the other one's turn."""
        self.ask("DELETE", self.active)


class PollingTests(WaitingCase):
    """Who does not prefer to wait."""

    def test_queued(self) -> None:
        """A queued session is told its place, and when to ask again."""
        answer = self.read(self.queued, 0)
        self.assertEqual((answer.status, answer.headers["retry-after"]), (202, "5"))
        self.assertEqual(json.loads(answer.body), {"state": "queued", "queuePosition": 0, "pollAfter": 5.0})

    def test_not_its_turn(self) -> None:
        """A queued session that asks for another chunk than its first is out of order."""
        self.refused(self.read(self.queued, 1), 409, "out-of-order")

    def test_sign_of_life(self) -> None:
        """Asking is a sign of life."""
        for _ in range(4):
            self.clock.advance(25)
            self.read(self.active, 0)
            self.read(self.queued, 0)
            self.session_service.tick()
        self.assertEqual(len(self.table), 2)

    def test_odd_preferences(self) -> None:
        """Preferences that are not understood are none."""
        for value in ("wait", "wait=", "wait=x", "wait=-1", "wait=0", "respond-async"):
            answer = self.ask("GET", f"{self.queued}/chunks/0", {**GZIP, "Prefer": value})
            self.assertEqual((answer.status, value), (202, value))


class ParkedTests(WaitingCase):
    """Who prefers to wait."""

    def test_chunk(self) -> None:
        """A request is answered as soon as there is something to say."""
        wire = self.park(f"{self.queued}/chunks/0")
        self.assertEqual(wire.received, b"")
        self.turn()
        answer = self.answer(wire)
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.raw, self.read(self.queued, 0).raw)

    def test_nothing_to_say(self) -> None:
        """When the time that was preferred is over, it is told where it stands."""
        wire = self.park(f"{self.queued}/chunks/0", "wait=7")
        self.clock.advance(6.9)
        self.assertEqual(wire.received, b"")
        self.clock.advance(0.1)
        self.assertEqual(self.answer(wire).status, 202)

    def test_bounded(self) -> None:
        """Nobody waits so long that its session looks silent."""
        wire = self.park(f"{self.queued}/chunks/0", "wait=999999")
        self.clock.advance(18)
        self.assertEqual(self.answer(wire).status, 202)

    def test_look(self) -> None:
        """A queued session can be waited for as well: it is told that it is active."""
        wire = self.park(self.queued)
        self.assertEqual(wire.received, b"")
        self.turn()
        self.assertEqual(json.loads(self.answer(wire).body)["state"], "active")

    def test_look_active(self) -> None:
        """Where there is nothing to wait for nobody waits."""
        self.assertEqual(json.loads(self.answer(self.park(self.active)).body)["state"], "active")

    def test_look_in_vain(self) -> None:
        """One that is still queued when the time is over is told its place."""
        wire = self.park(self.queued, "wait=3")
        self.clock.advance(3)
        self.assertEqual(json.loads(self.answer(wire).body)["queuePosition"], 0)

    def test_expired(self) -> None:
        """Who waits for a session that expires is told so at once, by whichever way it waits."""
        wires = [self.park(self.queued), self.park(f"{self.queued}/chunks/0")]
        self.table.get(self.queued.rpartition("/")[2]).seen = -100
        self.session_service.tick()
        for wire in wires:
            self.refused(self.answer(wire), 410, "expired")

    def test_closed(self) -> None:
        """So is who waits for one that is ended."""
        wires = [self.park(self.queued), self.park(f"{self.queued}/chunks/0")]
        self.ask("DELETE", self.queued)
        for wire in wires:
            self.refused(self.answer(wire), 410, "expired")

    def test_resumed(self) -> None:
        """And who waits for one that another request has resumed elsewhere."""
        wires = [self.park(self.queued), self.park(f"{self.queued}/chunks/0")]
        self.post({"resume": self.queued.rpartition("/")[2], "chunk": 2})
        for wire in wires:
            self.refused(self.answer(wire), 409, "resumed")

    def test_stopping(self) -> None:
        """When the server stops all who wait are answered."""
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
        """HEAD waits too."""
        wire = self.park(f"{self.queued}/chunks/0", method="HEAD")
        self.turn()
        (answer,) = answers(wire.received, head_only=True)
        self.assertEqual(answer.status, 200)


class PatientTests(WaitingCase):
    """Where sessions may be silent for long."""

    limits = Limits(max_active=1, max_queued=5, session_timeout=1000, queue_timeout=1000, chunk_timeout=1000)

    def test_bounded(self) -> None:
        """Nobody waits longer than the server's connections live, whatever it prefers."""
        wire = self.park(f"{self.queued}/chunks/0", "wait=500")
        self.clock.advance(24.9)
        self.assertEqual(wire.received, b"")
        self.clock.advance(0.1)
        self.assertEqual(self.answer(wire).status, 202)


class HangingUpTests(WaitingCase):
    """Who hangs up."""

    def test_waits_no_longer(self) -> None:
        """A client that hangs up leaves nothing behind, and its session is where it was."""
        for path in (self.queued, f"{self.queued}/chunks/0"):
            wire = self.park(path)
            self.assertTrue(self.session_service._waiting)
            wire.hang_up()
            self.assertEqual(len(self.session_service._waiting), 0)
        self.turn()
        self.assertEqual(self.read(self.queued, 0).status, 200)

    def test_clock(self) -> None:
        """Nothing is left on the clock either."""
        calls = len(self.clock.getDelayedCalls())
        self.park(f"{self.queued}/chunks/0").hang_up()
        self.assertEqual(len(self.clock.getDelayedCalls()), calls)

    def test_others_wait_on(self) -> None:
        """Others who wait for the same are not concerned."""
        wires = [self.park(f"{self.queued}/chunks/0") for _ in range(2)]
        wires[0].hang_up()
        self.turn()
        self.assertEqual(self.answer(wires[1]).status, 200)


class WindowTests(ServerCase):
    """Who waits for the window to slide."""

    window_bytes = 70 * 1024

    def setUp(self) -> None:
        super().setUp()
        self.slow, self.quick = self.open(), self.open()
        for path in (self.slow, self.quick):
            self.read(path, 0)

    def test_poll(self) -> None:
        """Who is ahead is told to come back soon; when the slow one has moved on there is something to read."""
        answer = self.read(self.quick, 1)
        self.assertEqual((answer.status, answer.headers["retry-after"]), (202, "1"))
        self.assertEqual(json.loads(answer.body)["state"], "active")
        self.read(self.slow, 1)
        self.assertEqual(self.read(self.quick, 1).status, 200)

    def test_parked(self) -> None:
        """Or waits until then."""
        wire = self.connect()
        wire.send(request("GET", f"{self.quick}/chunks/1", {**GZIP, "Prefer": "wait=10"}))
        self.assertEqual(wire.received, b"")
        slow = self.read(self.slow, 1)
        self.assertEqual([answer.raw for answer in answers(wire.received)], [slow.raw])

    def test_slow_one_expires(self) -> None:
        """Or until the slow one has been expired for it."""
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
