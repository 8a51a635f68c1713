"""Tests for :mod:`patches.reporter.site`."""

from __future__ import annotations

import json
import time
from email.utils import parsedate_to_datetime
from io import StringIO
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from patches.reporter.site import ReporterSite
from patches.service.budget import CONNECTION_BYTES, CONNECTIONS, Budget
from tests.http.test_bounded_request import Echo
from tests.server.memory_transport import Answer, Wire, answers, request

FORM = b"\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n"


class SiteTests(SynchronousTestCase):
    """Bodies of ten bytes."""

    def setUp(self) -> None:
        self.echo = Echo()
        self.clock = Clock()
        self.site = ReporterSite(self.echo, Budget(1 << 24), self.clock, 10)
        self.wire = Wire(self.site.buildProtocol(None))

    def answer(self) -> Answer:
        """Return the only response."""
        (answer,) = answers(self.wire.received)
        return answer

    def test_fits(self) -> None:
        """A body of exactly the longest length is accepted."""
        self.wire.send(request("POST", "/", body=b"0123456789"))
        self.assertEqual((self.answer().body, self.wire.connected), (b"0123456789", True))

    def test_too_long(self) -> None:
        """A body that is longer is refused after its end, so that the client reads the response."""
        sent = request("POST", "/", body=b"0123456789a")
        self.wire.send(sent[:-1])
        self.assertEqual((self.wire.received, self.wire.connected), (b"", True))
        self.wire.send(sent[-1:])
        self.assertEqual(self.answer().status, 413)
        self.assertEqual(json.loads(self.answer().body)["error"]["code"], "too-large")
        self.assertEqual((self.echo.paths, self.wire.connected), ([], False))

    def test_far_too_long(self) -> None:
        """The connection of a body that is more than eight times too long is closed without a response."""
        sent = request("POST", "/", body=b"x" * 1000)
        end_of_head = sent.index(b"\r\n\r\n") + 4
        self.wire.send(sent[: end_of_head + 80])
        self.assertTrue(self.wire.connected)
        self.wire.send(sent[end_of_head + 80 : end_of_head + 81])
        self.assertEqual((self.wire.received, self.wire.connected), (b"", False))

    def test_date(self) -> None:
        """``Date`` is the time of day, whatever the clock is by which the reporter is scheduled."""
        self.wire.send(request("POST", "/", body=b"0"))
        date = parsedate_to_datetime(self.answer().headers["date"]).timestamp()
        self.assertLess(abs(date - time.time()), 60)

    def test_no_log(self) -> None:
        """No access log is written."""
        log = StringIO()
        self.site.logFile = log
        self.wire.send(request("POST", "/", body=b"0"))
        self.assertEqual((self.answer().status, log.getvalue()), (200, ""))


class LimitTests(SynchronousTestCase):
    """Limits of what a sender can hold."""

    def setUp(self) -> None:
        self.echo = Echo()
        self.clock = Clock()
        self.budget = Budget(1 << 24)
        self.site = ReporterSite(self.echo, self.budget, self.clock, 100_000, per_minute=3)

    def wire(self) -> Wire:
        """Open a connection."""
        return Wire(self.site.buildProtocol(None))

    def told(self, wire: Wire) -> tuple[int, str]:
        """Return the status of the last response, and the code of its error."""
        answer = answers(wire.received)[-1]
        return answer.status, json.loads(answer.body)["error"]["code"]

    def test_form(self) -> None:
        """The fields of a form are not parsed, whatever their number is."""
        wire = self.wire()
        form = b"&".join(b"a%d=b" % number for number in range(5000))
        sent = request("POST", "/", body=form).replace(b"\r\n\r\n", FORM, 1)
        wire.send(sent)
        self.assertEqual(answers(wire.received)[-1].body, form)

    def test_rate(self) -> None:
        """An address that sends too many reports is told when to come back, and each connection counts."""
        for status in (200, 200, 200, 429):
            wire = self.wire()
            wire.send(request("POST", "/", body=b"x"))
            self.assertEqual(answers(wire.received)[-1].status, status)
        self.assertEqual(self.told(wire), (429, "too-many-reports"))
        self.assertIn(b"\r\nretry-after: 20\r\n", wire.received.lower())
        self.clock.advance(20)
        wire = self.wire()
        wire.send(request("POST", "/", body=b"x"))
        self.assertEqual(answers(wire.received)[-1].status, 200)

    def test_accepting(self) -> None:
        """A reporter that is short of memory refuses reports, and still answers questions."""
        post, wire = self.wire(), self.wire()
        self.budget.closed = frozenset((CONNECTIONS,))
        post.send(request("POST", "/", body=b"x" * 5000))
        self.assertEqual(self.told(post), (503, "busy"))
        wire.send(request("GET", "/"))
        self.assertEqual(answers(wire.received)[-1].status, 200)

    def test_shed(self) -> None:
        """The youngest half-read request is closed first; one that was read is none."""
        old, young, done = self.wire(), self.wire(), self.wire()
        for wire in (old, young):
            wire.send(request("POST", "/", body=b"x" * 50)[:-1])
        done.send(request("POST", "/", body=b"x"))
        self.assertEqual(len(self.site.spool), 2)
        self.assertEqual(self.site.spool.shed(1), 1)
        self.assertEqual((old.connected, young.connected, done.connected), (True, False, True))
        self.assertEqual((self.site.spool.shed(9), self.site.spool.shed(9)), (1, 0))

    def test_released(self) -> None:
        """A body is released when its request is answered, refused, or gone."""
        for sent in (b"x" * 10, b"x" * 150_000):
            wire = self.wire()
            wire.send(request("POST", "/", body=sent)[:-1])
            wire.send(b"x")
        lost = self.wire()
        lost.send(request("POST", "/", body=b"x" * 50)[:-1])
        lost.hang_up()
        self.assertEqual((len(self.site.spool), self.site.spool._spooled), (0, 0))

    def test_connections(self) -> None:
        """Of too many connections one that has long sent nothing makes room, but none with a body in progress."""
        self.budget.limit = 3 * CONNECTION_BYTES
        busy, idle, slow = self.wire(), self.wire(), self.wire()
        busy.send(request("POST", "/", body=b"x" * 50)[:-1])
        slow.send(b"GET / HTTP/1.1\r\n")
        self.clock.advance(5)
        idle.send(request("GET", "/"))
        new = self.wire()
        new.send(request("GET", "/"))
        self.assertEqual(answers(new.received)[-1].status, 200)
        self.assertEqual([each.connected for each in (busy, idle, slow, new)], [True, True, False, True])
        self.assertEqual(self.told(self.wire()), (503, "memory-limit"))

    def test_disk(self) -> None:
        """A body is on the disk, and one that cannot be written is refused."""
        wire = self.wire()
        wire.send(request("POST", "/", body=b"x" * 50_000)[:-1])
        (channel,) = self.site.channels
        content: Any = channel.requests[-1].content
        self.assertTrue(content._rolled)

        def full(data: bytes) -> int:
            raise OSError(28, "No space left on device")

        self.patch(content, "write", full)
        wire.send(b"x")
        self.assertEqual(self.told(wire), (503, "busy"))
