"""The reporter's API, called by a real client over memory."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

from treq.testing import StubTreq
from twisted.internet.defer import maybeDeferred
from twisted.logger import formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from patches.http.routes import RoutedResource
from patches.reporter.api import MOST_ANSWERS, Api
from patches.reporter.schema import open_database
from patches.reporter.store import ReportStore
from tests.control_characters import HARMFUL
from tests.reporter.sample_reports import NOW, bare_body, body, document


class ApiTestCase(SynchronousTestCase):
    """An API over a store on a file."""

    def setUp(self) -> None:
        self.engine = open_database(Path(self.mktemp()))
        self.addCleanup(self.engine.dispose)
        self.api = api = Api(ReportStore(self.engine), maybeDeferred, lambda: NOW)
        self.treq: Any = StubTreq(RoutedResource(api.app))

    def ask(self, method: str, path: str, **options: Any) -> tuple[int, Any]:
        """Send a request. Return the status and the JSON of the response."""
        asking = self.treq.request(method, f"http://reporter{path}", **options)
        self.treq.flush()
        response = self.successResultOf(asking)
        self.assertEqual(response.headers.getRawHeaders("content-type"), ["application/json"])
        self.allow = response.headers.getRawHeaders("allow")
        return response.code, json.loads(self.successResultOf(response.content()))

    def refused(self, expected: int, code: str, method: str, path: str, **options: Any) -> str:
        """Check that a request is refused. Return the message."""
        status, answer = self.ask(method, path, **options)
        self.assertEqual((status, list(answer), answer["error"]["code"]), (expected, ["error"], code))
        return str(answer["error"]["message"])


class ReportingTests(ApiTestCase):
    """Sending reports."""

    def test_accepted(self) -> None:
        """A report is accepted at both paths, and shown."""
        for number, path in enumerate(("/v1/reports", "/"), start=1):
            status, answer = self.ask("POST", path, data=body("CVE-1", number=number))
            self.assertEqual((status, answer), (200, {"accepted": True, "outcome": "stored", "host": "web1"}))
        _, shown = self.ask("GET", "/v1/hosts/web1/findings")
        self.assertEqual(shown["vulnerabilities"], document("CVE-1")["vulnerabilities"])
        self.assertEqual(shown["lastScan"]["number"], 2)
        self.assertEqual(shown["lastScan"]["received"], "2026-11-22T12:00:00Z")

    def test_compressed(self) -> None:
        """A report may be compressed; what it is unpacked is limited, and another coding is refused."""
        content = body("CVE-1", number=1)
        for number, coding in enumerate(("gzip", "GZIP", "x-gzip"), start=1):
            packed = gzip.compress(body("CVE-1", number=number))
            _, answer = self.ask("POST", "/v1/reports", data=packed, headers={"Content-Encoding": coding})
            self.assertEqual(answer["outcome"], "stored")
        odd = {"Content-Encoding": "gzip"}
        self.assertIn("not gzip", self.refused(400, "malformed", "POST", "/v1/reports", data=content, headers=odd))
        self.refused(400, "malformed", "POST", "/v1/reports", data=gzip.compress(content)[:-9], headers=odd)
        bomb = gzip.compress(b" " * 3_000_000)
        self.api._most_unpacked = 2_000_000
        self.assertIn("longer than", self.refused(400, "malformed", "POST", "/v1/reports", data=bomb, headers=odd))
        coding = {"Content-Encoding": "gzip, gzip"}
        self.refused(415, "unsupported-coding", "POST", "/v1/reports", data=packed, headers=coding)

    def test_odd_texts(self) -> None:
        """Control characters in any text of a report are escaped, and cost no report."""
        for number, text in enumerate(HARMFUL, start=1):
            report = document("CVE-1", number=number)
            report["scan"]["problem"] = f"odd {text}"
            report["scan"]["notEvaluated"] = {f"odd {text}": 1}
            (found,) = report["vulnerabilities"]
            found |= {"note": text, "aliases": [text], "detailsHref": text}
            found["installed"] = dict.fromkeys(found["installed"], f"a{text}")
            status, _ = self.ask("POST", "/v1/reports", data=json.dumps(report).encode())
            self.assertEqual(status, 200)
            _, shown = self.ask("GET", "/v1/hosts/web1/findings")
            self.assertTrue(json.dumps(shown, ensure_ascii=False).replace("\\", "").isprintable())

    def test_many(self) -> None:
        """As many lists of findings are sent at once as there is room for."""
        self.ask("POST", "/v1/reports", data=body("CVE-1"))
        self.api._answers = MOST_ANSWERS
        self.refused(503, "busy", "GET", "/v1/hosts/web1/findings")
        self.api._answers -= 1
        self.ask("GET", "/v1/hosts/web1/findings")
        self.assertEqual(self.api._answers, MOST_ANSWERS - 1)

    def test_again(self) -> None:
        """If the response to a report is lost, the report is sent again and accepted again."""
        self.ask("POST", "/v1/reports", data=body("CVE-1", number=2))
        self.assertEqual(self.ask("POST", "/v1/reports", data=body("CVE-1", number=2))[1]["outcome"], "known")
        self.assertEqual(self.ask("POST", "/v1/reports", data=body("CVE-1", number=1))[1]["outcome"], "older")

    def test_bare(self) -> None:
        """Parts of a report of the first scanner are merged under the sender's address, and shown as unverified."""
        for names in (["CVE-1", "CVE-1"], ["CVE-1", "CVE-2"]):
            status, answer = self.ask("POST", "/", data=bare_body(*names))
            self.assertEqual((status, answer), (200, {"accepted": True, "outcome": "merged", "host": "127.0.0.1"}))
        _, shown = self.ask("GET", "/v1/hosts/127.0.0.1/findings")
        self.assertEqual([each["name"] for each in shown["vulnerabilities"]], ["CVE-1", "CVE-2"])
        self.assertEqual({each["unverified"] for each in shown["vulnerabilities"]}, {"first scanner"})
        self.assertEqual((shown["complete"], shown["lastScan"]["problem"]), (False, "unverified, by the first scanner"))
        (listed,) = self.ask("GET", "/v1/hosts")[1]["hosts"]
        self.assertEqual((listed["unverified"]["by"], listed["findings"]["high"]), ("first scanner", 2))

    def test_malformed(self) -> None:
        """A malformed report is refused with the reason, and nothing is stored."""
        message = self.refused(400, "malformed", "POST", "/v1/reports", data=body(complete="yes"))
        self.assertIn("scan.complete", message)
        self.refused(400, "malformed", "POST", "/", data=b"{")
        self.assertEqual(self.ask("GET", "/v1/hosts")[1], {"hosts": [], "next": None})

    def test_logged(self) -> None:
        """Each accepted report is logged with its host, platform and findings."""
        events: list[Any] = []
        globalLogPublisher.addObserver(events.append)
        self.addCleanup(globalLogPublisher.removeObserver, events.append)
        self.ask("POST", "/", data=body("CVE-1"))
        self.ask("POST", "/", data=bare_body("CVE-1", "CVE-2"))
        self.assertEqual(
            list(map(formatEvent, events)),
            [
                "Stored report: web1 (debian-12), complete scan, 1 finding",
                "Merged report: 127.0.0.1 (debian-12), unverified, by the first scanner, 2 findings",
            ],
        )

    def test_trouble(self) -> None:
        """If the database is damaged, the sender is asked to keep the report, and a new one takes it next time."""
        self.engine.dispose()
        with self.engine.begin() as connection:
            connection.exec_driver_sql("DROP TABLE scans")
        said = "the reports cannot be stored or read at the moment"
        self.assertEqual(self.refused(503, "storage", "POST", "/", data=body("CVE-1")), said)
        self.assertEqual(self.ask("POST", "/", data=body("CVE-1"))[0], 200)
        self.assertEqual(self.flushLoggedErrors(), [])


class ShowingTests(ApiTestCase):
    """The state of the fleet."""

    def test_hosts(self) -> None:
        """Each host is listed with its platform, last scan, and counts."""
        self.ask("POST", "/", data=body("CVE-1", "CVE-2", host="web2"))
        self.ask("POST", "/", data=body(host="web1", complete=False))
        _, listed = self.ask("GET", "/v1/hosts")
        facts = [(each["host"], each["complete"], each["findings"]["high"]) for each in listed["hosts"]]
        self.assertEqual(facts, [("web1", False, 0), ("web2", True, 2)])
        self.assertIsNone(listed["next"])

    def test_pages(self) -> None:
        """A long list is read page by page to its end."""
        for host in "dbca":
            self.ask("POST", "/", data=body(host=host))
        seen, after = [], ""
        while after is not None:
            _, page = self.ask("GET", "/v1/hosts", params={"limit": "2", "after": after})
            seen += [each["host"] for each in page["hosts"]]
            after = page["next"]
        self.assertEqual(seen, ["a", "b", "c", "d"])

    def test_bad_limit(self) -> None:
        """A limit that is not a number in range is refused."""
        for limit in ("0", "-1", "x", "1001", "99999999999999999999", ""):
            self.refused(400, "malformed", "GET", "/v1/hosts", params={"limit": limit})

    def test_unknown_host(self) -> None:
        """A host that has not reported is not found."""
        self.assertIn("web9", self.refused(404, "unknown-host", "GET", "/v1/hosts/web9/findings"))

    def test_no_such_place(self) -> None:
        """Unknown paths and methods that are not allowed are errors in JSON."""
        self.refused(404, "not-found", "GET", "/v1/nothing")
        self.refused(405, "method-not-allowed", "DELETE", "/v1/hosts")
        self.assertEqual(self.allow, ["GET, HEAD, OPTIONS"])
        self.refused(405, "method-not-allowed", "GET", "/v1/reports")

    def test_health(self) -> None:
        """The reporter reports that it is running."""
        self.assertEqual(self.ask("GET", "/health"), (200, {"status": "ok"}))
