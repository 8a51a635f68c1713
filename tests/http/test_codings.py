"""Tests for :mod:`patches.http.codings`."""

from __future__ import annotations

import gzip

from treq.client import HTTPClient
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent
from zope.interface.verify import verifyObject

from patches.http.codings import FirstEncoding, UndecodedAgent
from tests.sources.memory_web import Web, told

URL = "http://clair.test/"


class CodingsTests(SynchronousTestCase):
    """A web with one response."""

    def setUp(self) -> None:
        self.answer = told(200)
        self.web = Web(lambda asked: self.answer)
        self.agent = self.web.agent(Clock())

    def encoding(self, headers: Headers | None) -> str:
        """Return the ``Accept-Encoding`` that is sent."""
        asking = FirstEncoding(self.agent).request(b"GET", URL.encode(), headers)
        self.web.flush()
        self.successResultOf(asking)
        return self.web.asked[-1].headers["accept-encoding"]

    def test_interfaces(self) -> None:
        """Each is an agent."""
        for agent in (FirstEncoding(self.agent), UndecodedAgent(self.agent)):
            verifyObject(IAgent, agent)

    def test_first(self) -> None:
        """Only the first of several ``Accept-Encoding`` is sent; without one, no compression is requested."""
        several = Headers({"Accept-Encoding": ["zstd", "gzip"]})
        self.assertEqual(self.encoding(several), "zstd")
        self.assertEqual(several.getRawHeaders("Accept-Encoding"), ["zstd", "gzip"])
        self.assertEqual(self.encoding(Headers()), "identity")
        self.assertEqual(self.encoding(None), "identity")

    def test_undecoded(self) -> None:
        """treq unpacks nothing, however often the body is compressed."""
        for packed, coding in ((gzip.compress(b"x"), "gzip"), (gzip.compress(gzip.compress(b"x")), "gzip, gzip")):
            self.answer = told(200, packed, Content_Encoding=coding)
            asking = HTTPClient(UndecodedAgent(self.agent)).get(URL)
            self.web.flush()
            reading = self.successResultOf(asking).content()
            self.web.flush()
            self.assertEqual(self.successResultOf(reading), packed)
