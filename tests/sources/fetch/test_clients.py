"""Tests for :mod:`patches.sources.fetch.clients`."""

from __future__ import annotations

import gzip
from typing import Any

from treq.client import HTTPClient
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent
from zope.interface.verify import verifyObject

from patches.sources.fetch.access import Access
from patches.sources.fetch.clients import WithHeaders, pooled_client, verbatim_client
from tests.sources.memory_reactor import ResolvingReactor
from tests.sources.memory_web import Told, Web, told

URL = "http://clair.test/"


class ClientCase(SynchronousTestCase):
    """A web with one response."""

    def setUp(self) -> None:
        self.answer = told(200)
        self.web = Web(lambda asked: self.answer)
        self.agent = self.web.agent(Clock())

    def result(self, asking: Deferred[Any]) -> Any:
        """Return the result of a request."""
        self.web.flush()
        return self.successResultOf(asking)

    def body(self, client: HTTPClient, answer: Told) -> bytes:
        """Return the body of a response."""
        self.answer = answer
        body: bytes = self.result(self.result(client.get(URL)).content())
        return body


class HeaderTests(SynchronousTestCase):
    """Headers of each request."""

    def test_sent(self) -> None:
        """Configured headers replace those of the same name."""
        web = Web(lambda asked: told(200))
        agent = WithHeaders(web.agent(Clock()), {"Authorization": "Bearer x", "user-agent": "mine"})
        asking = agent.request(b"GET", b"http://clair.test/", None)
        web.flush()
        self.successResultOf(asking)
        self.assertEqual(web.asked[0].headers["authorization"], "Bearer x")
        self.assertEqual(web.asked[0].headers["user-agent"], "mine")

    def test_interface(self) -> None:
        """It is an agent."""
        verifyObject(IAgent, WithHeaders(Web(lambda asked: told(200)).agent(Clock()), {}))

    def test_others(self) -> None:
        """Other headers of a request stay, and the request's own headers are not changed."""
        web = Web(lambda asked: told(200))
        headers = Headers({"X": ["y"], "User-Agent": ["theirs"]})
        asking = WithHeaders(web.agent(Clock()), {"user-agent": "mine"}).request(b"GET", b"http://clair.test/", headers)
        web.flush()
        self.successResultOf(asking)
        self.assertEqual((web.asked[0].headers["x"], web.asked[0].headers["user-agent"]), ("y", "mine"))
        self.assertEqual(headers.getRawHeaders("User-Agent"), ["theirs"])


class EncodingTests(ClientCase):
    """Compressed responses."""

    def test_verbatim(self) -> None:
        """The body that a verbatim client returns is the one that was sent, compressed or not."""
        client, packed = verbatim_client(self.agent), gzip.compress(b"content")
        self.assertEqual(self.body(client, told(200, packed, Content_Encoding="gzip")), packed)
        self.assertEqual(self.web.asked[-1].headers["accept-encoding"], "gzip")
        self.assertEqual(self.body(client, told(200, b"content")), b"content")
        self.assertEqual(self.body(HTTPClient(self.agent), told(200, packed, Content_Encoding="gzip")), b"content")


class PooledTests(SynchronousTestCase):
    """Clients of a reactor."""

    def sent(self, access: Access | None = None) -> bytes:
        """Return a request as it is sent."""
        reactor = ResolvingReactor()
        pooled_client(reactor, 2, 60.0, access).get(URL, headers={"Accept-Encoding": "zstd"})
        self.assertEqual(reactor.connections(), [("clair.test", 80)])
        return reactor.accept()[1].value()

    def test_headers(self) -> None:
        """The headers of the access are sent with each request; without access there are no others."""
        self.assertIn(b"\r\nAuthorization: Bearer x\r\n", self.sent(Access(headers={"Authorization": "Bearer x"})))
        self.assertNotIn(b"Authorization", self.sent())

    def test_one_encoding(self) -> None:
        """The compression that is requested is the caller's, not treq's."""
        self.assertEqual(self.sent().lower().count(b"accept-encoding: "), 1)
        self.assertIn(b"\r\nAccept-Encoding: zstd\r\n", self.sent())
