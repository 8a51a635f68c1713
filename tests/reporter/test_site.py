"""Tests for :mod:`patches.reporter.site`."""

from __future__ import annotations

import json
from io import StringIO

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from patches.reporter.site import ReporterSite
from tests.http.test_bounded_request import Echo
from tests.server.memory_transport import Answer, Wire, answers, request


class SiteTests(SynchronousTestCase):
    """Bodies of ten bytes."""

    def setUp(self) -> None:
        self.echo = Echo()
        self.clock = Clock()
        self.site = ReporterSite(self.echo, self.clock, 10)
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

    def test_no_log(self) -> None:
        """No access log is written."""
        log = StringIO()
        self.site.logFile = log
        self.wire.send(request("POST", "/", body=b"0"))
        self.assertEqual((self.answer().status, log.getvalue()), (200, ""))
