"""Tests for the protocol of the first Patches scanner, which :mod:`patches.server.http.api` still supports."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from patches.server.budget import RESPONSES
from patches.server.sessions.session import Limits
from patches.wire import from_wire
from tests.server.fake_catalogue import vulnerabilities
from tests.server.memory_transport import Answer
from tests.server.server_case import ServerCase, bulky


class VulnsTests(ServerCase):
    """``GET /vulns``."""

    limits = Limits(max_active=1, max_queued=1)

    def vulns(self, **arguments: str) -> Answer:
        """Send a request as the first scanner did."""
        query = "&".join(f"{name}={quote(value)}" for name, value in arguments.items())
        return self.ask("GET", f"/vulns?{query}")

    def document(self, **arguments: str) -> dict[str, Any]:
        """Send a request, and return its response, which must not be an error."""
        answer = self.vulns(**arguments)
        document: dict[str, Any] = json.loads(answer.body)
        self.assertEqual((answer.status, answer.headers["content-type"]), (200, "application/json"), document)
        self.assertEqual(list(document), ["error", "requestID", "finished", "vulns"])
        self.assertIsNone(document["error"])
        return document

    def error(self, answer: Answer) -> str:
        """Return the text of an error, which has the form of every other response."""
        document = json.loads(answer.body)
        self.assertEqual((document["requestID"], document["finished"], document["vulns"]), (None, False, []))
        return str(document["error"])

    def test_walk(self) -> None:
        """From the first request to the finished page each vulnerability is served once, and in order."""
        page = self.document(platform="debian-12")
        request, found, pages = page["requestID"], list(page["vulns"]), 1
        while not page["finished"]:
            page = self.document(requestID=request)
            self.assertEqual(page["requestID"], request)
            found += page["vulns"]
            pages += 1
        self.assertEqual([from_wire(record) for record in found], bulky(9))
        self.assertEqual(pages, 4)
        self.assertEqual(page["vulns"], [])

    def test_both_arguments(self) -> None:
        """The scanner may repeat the platform."""
        page = self.document(platform="alpine-3.20")
        self.assertEqual([from_wire(r) for r in page["vulns"]], vulnerabilities(5, "alpine-3.20"))
        self.assertTrue(self.document(platform="alpine-3.20", requestID=page["requestID"])["finished"])
        self.assertEqual(len(self.session_service.sessions), 1)

    def test_finished_again(self) -> None:
        """A request after the end is answered with the finished page again."""
        request = self.document(platform="alpine-3.20")["requestID"]
        self.assertTrue(self.document(requestID=request)["finished"])
        self.assertTrue(self.document(requestID=request)["finished"])

    def test_queued(self) -> None:
        """A client that has to wait gets an empty page and asks again; it misses no record."""
        first = self.document(platform="debian-12")["requestID"]
        page = self.document(platform="debian-12")
        self.assertEqual((page["vulns"], page["finished"]), ([], False))
        self.assertEqual(self.document(requestID=page["requestID"])["vulns"], [])
        while not self.document(requestID=first)["finished"]:
            pass
        self.assertEqual(from_wire(self.document(requestID=page["requestID"])["vulns"][0]), bulky(1)[0])

    def test_denied(self) -> None:
        """A client that cannot even be queued gets the reason in words, and a time for the retry."""
        self.document(platform="debian-12")
        self.document(platform="debian-12")
        answer = self.vulns(platform="debian-12")
        self.assertEqual((answer.status, answer.headers["retry-after"]), (503, "1"))
        self.assertIn("wait for debian-12", self.error(answer))

    def test_errors(self) -> None:
        """The text of each error is in ``error``."""
        self.assertIn("not served", self.error(self.vulns(platform="amiga-3")))
        self.assertIn("not served", self.error(self.vulns(platform="")))
        self.assertIn("platform", self.error(self.vulns()))
        self.assertIn("no such session", self.error(self.vulns(requestID="x")))
        request = self.document(platform="debian-12")["requestID"]
        self.clock.advance(31)
        self.session_service.tick()
        answer = self.vulns(requestID=request)
        self.assertEqual(answer.status, 410)
        self.assertIn("silent", self.error(answer))

    def test_no_memory(self) -> None:
        """A response for which there is no memory is refused, and its session is removed."""
        taken = self.budget.free(RESPONSES) - 512 * 1024  # enough for a session and its window
        self.budget.take(RESPONSES, taken)
        answer = self.vulns(platform="debian-12")
        self.assertEqual((answer.status, len(self.session_service.sessions)), (503, 0))
        self.assertIn("memory", self.error(answer))
        self.budget.release(RESPONSES, taken)
        self.document(platform="debian-12")
        self.assertEqual(self.budget.used[RESPONSES], 0)
