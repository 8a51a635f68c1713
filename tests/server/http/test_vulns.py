"""The protocol of the first Patches scanner."""

from __future__ import annotations

import json
from ipaddress import ip_network
from typing import Any
from urllib.parse import quote

from twisted.internet.defer import Deferred

from patches.server.budget import RESPONSES, SESSION_BYTES, SESSIONS, WINDOW
from patches.server.catalogue.pruning import MinimumAge
from patches.server.errors import CatalogueError
from patches.server.first_scanner.slice_sessions import SliceLimits
from patches.wire import from_wire
from tests.server.fake_catalogue import vulnerabilities
from tests.server.fake_source import HOUR
from tests.server.memory_transport import Answer, answers, request
from tests.server.server_case import MIB, ServerCase, bulky


class BrokenCatalogue:
    """A catalogue whose database is away."""

    def chunk(self, revision: str, number: int) -> None:
        """Fail."""
        raise CatalogueError("connection refused")


class VulnsTests(ServerCase):
    """``GET /vulns``."""

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
        """The first scanner repeats the platform at each request."""
        page = self.document(platform="alpine-3.20")
        self.assertEqual([from_wire(r) for r in page["vulns"]], vulnerabilities(5, "alpine-3.20"))
        self.assertTrue(self.document(platform="alpine-3.20", requestID=page["requestID"])["finished"])
        self.assertEqual(len(self.first_scanner.sessions), 1)

    def test_head(self) -> None:
        """A request for the head alone takes no slice, and opens no session."""
        page = self.document(platform="debian-12")
        for target in (f"/vulns?requestID={page['requestID']}", "/vulns?platform=debian-12"):
            answer = self.ask("HEAD", target)
            self.assertEqual((answer.status, answer.headers["allow"]), (405, "GET"))
        self.assertEqual(len(self.first_scanner.sessions), 1)
        found = [*page["vulns"], *self.document(requestID=page["requestID"])["vulns"]]
        self.assertEqual([from_wire(record) for record in found], bulky(9)[: len(found)])

    def test_slices(self) -> None:
        """An answer has 50 records."""
        self.put("alpine-3.20", 120)
        self.tick(HOUR)
        page = self.document(platform="alpine-3.20")
        sizes = [len(page["vulns"])]
        while not page["finished"]:
            page = self.document(requestID=page["requestID"])
            sizes.append(len(page["vulns"]))
        self.assertEqual(sizes, [50, 50, 20, 0])

    def test_sequence(self) -> None:
        """A request with the sequence of the last one gets the same answer, byte for byte."""
        self.put("alpine-3.20", 70)
        self.tick(HOUR)
        request = self.document(platform="alpine-3.20", sequence="1")["requestID"]
        answers = [self.vulns(requestID=request, sequence=number).body for number in ("1", "2", "2", "3", "3")]
        pages = [[each["name"] for each in json.loads(answer)["vulns"]] for answer in answers]
        self.assertEqual([len(page) for page in pages], [50, 20, 20, 0, 0])
        self.assertEqual((answers[1], answers[3]), (answers[2], answers[4]))
        self.assertEqual(len({*pages[0], *pages[1]}), 70)
        self.assertEqual(self.vulns(requestID=request, sequence="x" * 64).status, 200)
        answer = self.vulns(requestID=request, sequence="x" * 65)
        self.assertEqual(answer.status, 400)
        self.assertIn("sequence", self.error(answer))

    def test_same_list(self) -> None:
        """A session keeps its list to the end, although a newer one is published and old ones are deleted."""
        self.put("alpine-3.20", 70)
        self.tick(HOUR)
        request = self.document(platform="alpine-3.20")["requestID"]
        self.put("alpine-3.20", 71)
        self.tick(HOUR)
        for revisions, expected in ((self.first_scanner.revisions_in_use(), 20), (set(), None)):
            self.catalogue.prune(revisions, MinimumAge(self.wall() + HOUR))
            answer = self.vulns(requestID=request, sequence="1")
            if expected is not None:
                self.assertEqual(len(json.loads(answer.body)["vulns"]), expected)
        self.assertEqual(answer.status, 410)
        self.assertIn("no longer in the catalogue", self.error(answer))

    def test_finished_again(self) -> None:
        """A request after the end is answered with the finished page again."""
        request = self.document(platform="alpine-3.20")["requestID"]
        self.assertTrue(self.document(requestID=request)["finished"])
        self.assertTrue(self.document(requestID=request)["finished"])

    def test_delays_nobody(self) -> None:
        """A first scanner that is silent holds no window and no place of other scanners, and delays none of them."""
        request = self.document(platform="debian-12")["requestID"]
        self.assertEqual((len(self.session_service.sessions.windows), self.budget.used[WINDOW]), (0, 0))
        path = self.open()
        for number in range(4):
            self.assertEqual(self.read(path, number).status, 200)
        self.clock.advance(890)
        for service in (self.session_service, self.first_scanner):
            service.tick()
        self.assertEqual(len(self.document(requestID=request)["vulns"]), 4)

    def test_denied(self) -> None:
        """A client for which there is no place gets the reason in words, and a time for the retry."""
        self.document(platform="debian-12")
        self.document(platform="debian-12")
        answer = self.vulns(platform="debian-12")
        self.assertEqual((answer.status, answer.headers["retry-after"]), (503, "60"))
        self.assertIn("try again later", self.error(answer))

    def test_errors(self) -> None:
        """The text of each error is in ``error``."""
        self.assertIn("not served", self.error(self.vulns(platform="amiga-3")))
        self.assertIn("not served", self.error(self.vulns(platform="")))
        self.assertIn("platform", self.error(self.vulns()))
        self.assertIn("no such session", self.error(self.vulns(requestID="x")))
        request = self.document(platform="debian-12")["requestID"]
        self.clock.advance(901)
        self.first_scanner.tick()
        answer = self.vulns(requestID=request)
        self.assertEqual(answer.status, 410)
        self.assertIn("silent", self.error(answer))

    def test_stop(self) -> None:
        """A server that stops says so."""
        request = self.document(platform="debian-12")["requestID"]
        self.first_scanner.stop()
        for arguments in ({"requestID": request}, {"platform": "debian-12"}):
            self.assertIn("stopping", self.error(self.vulns(**arguments)))

    def test_restart(self) -> None:
        """After a restart of the server, a scanner that does not count gets the list from its beginning."""
        self.put("alpine-3.20", 70)
        self.tick(HOUR)
        request = self.document(platform="alpine-3.20")["requestID"]
        self.start()
        self.successResultOf(self.started())
        self.assertIn("no such session", self.error(self.vulns(requestID=request, sequence="2")))
        pages = [self.document(requestID=request) for _ in range(3)]
        self.assertEqual([len(page["vulns"]) for page in pages], [50, 20, 0])
        self.assertEqual({page["requestID"] for page in pages}, {request})

    def test_share(self) -> None:
        """A newcomer gets the place of an address with more places than others, which is told so."""
        self.trusted = (ip_network("192.0.2.1"),)
        self.start()
        self.successResultOf(self.started())
        for address in ("198.51.100.7", "198.51.100.7", "198.51.100.8"):
            answer = self.ask("GET", "/vulns?platform=debian-12", {"X-Forwarded-For": address})
            self.assertEqual(answer.status, 200, address)
        self.assertEqual(self.first_scanner.events["opened"], 3)
        self.assertEqual(len(self.first_scanner.sessions), 2)

    def test_no_memory(self) -> None:
        """A response for which there is no memory is refused, and its session is removed."""
        taken = self.budget.free(RESPONSES) - 512 * 1024  # enough for a session
        self.budget.take(RESPONSES, taken)
        answer = self.vulns(platform="debian-12")
        self.assertEqual((answer.status, len(self.first_scanner.sessions)), (503, 0))
        self.assertIn("memory", self.error(answer))
        self.budget.release(RESPONSES, taken)
        self.document(platform="debian-12")
        self.assertEqual(self.budget.used[RESPONSES], 0)

    def test_no_memory_later(self) -> None:
        """A session that is open does not end for lack of memory: the answer is empty, and the scanner asks again."""
        request = self.document(platform="debian-12")["requestID"]
        taken = self.budget.free(RESPONSES)
        self.budget.take(RESPONSES, taken)
        page = self.document(requestID=request)
        self.assertEqual((page["requestID"], page["finished"], page["vulns"]), (request, False, []))
        self.budget.release(RESPONSES, taken)
        self.assertEqual([from_wire(r) for r in self.document(requestID=request)["vulns"]], bulky(9)[4:8])

    def test_catalogue_away(self) -> None:
        """A session that is open does not end when the database is away for a time; a new one is refused."""
        request = self.document(platform="debian-12")["requestID"]
        broken: Any = BrokenCatalogue()
        self.first_scanner._catalogue = broken
        self.assertEqual(self.document(requestID=request)["vulns"], [])
        answer = self.vulns(platform="debian-12")
        self.assertEqual((answer.status, len(self.first_scanner.sessions)), (503, 1))
        self.assertIn("catalogue", self.error(answer))
        self.first_scanner._catalogue = self.catalogue
        broken.chunk = self.catalogue.chunk
        self.watch.tick()
        self.assertEqual(len(self.document(requestID=request)["vulns"]), 4)

    def test_bug(self) -> None:
        """An unexpected error is logged, and tells nothing."""
        broken: Any = None
        self.first_scanner._catalogue = broken
        answer = self.vulns(platform="debian-12")
        self.assertEqual((answer.status, json.loads(answer.body)["error"]["code"]), (500, "internal"))
        self.assertEqual(len(self.flushLoggedErrors(AttributeError)), 1)


class CrowdTests(ServerCase):
    """Two hundred first scanners at once."""

    slice_limits = SliceLimits(places=200)
    memory = 12 * MIB

    def setUp(self) -> None:
        super().setUp()
        self.waiting: list[tuple[Deferred[Any], Any]] = []
        self.put("alpine-3.20", 60)
        self.tick(HOUR)

    def run_later(self, call: Any, *arguments: Any) -> Deferred[Any]:
        """Run a call when the test says so, as a thread does."""
        waiting: Deferred[Any] = Deferred()
        self.waiting.append((waiting, lambda: call(*arguments)))
        return waiting

    def test_wait_without_memory(self) -> None:
        """Requests that wait for their slices take no memory but that of their session and connection."""
        self.first_scanner._run = self.run_later
        wires = [self.connect() for _ in range(200)]
        for wire in wires:
            wire.send(request("GET", "/vulns?platform=alpine-3.20"))
        self.assertEqual((len(self.first_scanner.sessions), self.budget.used[RESPONSES]), (200, 0))
        self.assertEqual(self.budget.used[SESSIONS], 200 * SESSION_BYTES)
        self.assertEqual(self.read(self.open(), 0).status, 200)
        while self.waiting:
            thread, call = self.waiting.pop(0)
            thread.callback(call())
        pages = [json.loads(answers(wire.received)[0].body) for wire in wires]
        self.assertEqual([(page["error"], len(page["vulns"])) for page in pages], [(None, 50)] * 200)
        self.assertEqual(self.budget.used[RESPONSES], 0)
