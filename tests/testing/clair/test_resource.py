"""Tests for :mod:`patches.testing`: the double of Clair as an HTTP server, and its failures."""

from __future__ import annotations

import json

from patches.testing import ClairDouble, Trouble
from tests.raw_http import Connection, HttpClient
from tests.testing.clair.test_double import LIST, NOT_FOUND, DoubleCase

DATABASE = "database: an error occured when querying the backend"


class RoutingTests(DoubleCase):
    """Routes, methods, statuses and headers."""

    def test_namespaces(self) -> None:
        """All namespaces are sent at once, with their version format if they have one."""
        self.double.add_namespace("debian:9", "dpkg")
        answer = self.get("/v1/namespaces?limit=1")
        self.assertEqual(
            answer.body,
            b'{"Namespaces":[{"Name":"lab:paging"},{"Name":"debian:9","VersionFormat":"dpkg"}]}\n',
        )
        fresh = Connection(ClairDouble().resource()).ask("GET", "/v1/namespaces")
        self.assertEqual(fresh.body, b'{"Namespaces":null}\n')

    def test_headers(self) -> None:
        """Clair's own responses have its ``Server`` header, and its content type without a space."""
        answer = self.get("/v1/namespaces")
        expected = {"content-type": "application/json;charset=utf-8", "server": "clair", "content-length": "39"}
        self.assertEqual(answer.headers, expected)

    def test_text_404(self) -> None:
        """A path without a route is a 404 of the router."""
        for target in (
            "/",
            "/v1",
            "/v1/",
            "/v2/namespaces",
            "/namespaces",
            "/v1/nothing",
            "/v1/namespaces/debian:9",
            "/health",
        ):
            answer = self.get(target)
            self.assertEqual((answer.status, answer.body), (404, b"404 page not found\n"), target)
            self.assertEqual(answer.headers["content-type"], "text/plain; charset=utf-8")
            self.assertEqual(answer.headers["x-content-type-options"], "nosniff")
            self.assertNotIn("server", answer.headers)

    def test_redirects(self) -> None:
        """Paths with extra slashes or another case are redirected to a wrong path: the prefix is lost."""
        for target, location in (
            ("/v1/namespaces/", "/namespaces"),
            ("/v1/Namespaces", "/namespaces"),
            ("/v1//namespaces", "/namespaces"),
            ("/v1namespaces", "/namespaces"),
            ("/v1/namespaces/debian:9/", "/namespaces/debian:9"),
            (f"{LIST}/?limit=1", "/namespaces/lab:paging/vulnerabilities?limit=1"),
            (f"{LIST}/V-a/", "/namespaces/lab:paging/vulnerabilities/V-a"),
        ):
            answer = self.get(target)
            self.assertEqual((answer.status, answer.headers["location"]), (301, location))
            self.assertEqual(answer.body, f'<a href="{location}">Moved Permanently</a>.\n\n'.encode())
            self.assertEqual(self.get(location).status, 404)
        self.assertEqual(self.connection.ask("PUT", "/v1/namespaces/").status, 307)

    def test_other_methods(self) -> None:
        """Other methods than GET are not allowed, HEAD included."""
        for target in ("/v1/namespaces", f"{LIST}?limit=1", f"{LIST}/V-a"):
            for method in ("HEAD", "OPTIONS", "PATCH", "TRACE", "FOO"):
                answer = self.connection.ask(method, target)
                body = b"" if method == "HEAD" else b"Method Not Allowed\n"
                self.assertEqual((answer.status, answer.body), (405, body))
                self.assertEqual(answer.headers["content-length"], "19")
                self.assertNotIn("allow", answer.headers)

    def test_malformed_path(self) -> None:
        """An invalid percent escape is a bad request, and closes the connection."""
        answer = self.get("/v1/namespaces/%ZZ/vulnerabilities?limit=1")
        self.assertEqual((answer.status, answer.body, answer.closed), (400, b"400 Bad Request", True))

    def test_compression(self) -> None:
        """A response is compressed if the first header contains the word, even to refuse it; a router's never is."""
        for value in ("gzip", "gzip, deflate", "gzip;q=0, identity"):
            answer = self.get(f"{LIST}?limit=9", {"Accept-Encoding": value})
            self.assertEqual(answer.headers["content-encoding"], "gzip")
            self.assertEqual(len(json.loads(answer.body)["Vulnerabilities"]), 9)
        for value in ("identity", "deflate, br", "*", "identity\r\nAccept-Encoding: gzip"):
            self.assertNotIn("content-encoding", self.get(f"{LIST}?limit=9", {"Accept-Encoding": value}).headers)
        self.assertNotIn("content-encoding", self.get("/nothing", {"Accept-Encoding": "gzip"}).headers)

    def test_chunks(self) -> None:
        """A body of up to 2048 bytes has a length; a longer one comes in chunks, compressed or not."""
        frame = len(b'{"Vulnerability":{"Name":"x","NamespaceName":"lab:x","Description":"","Severity":"Low"}}\n')
        for size, chunked in ((2048, False), (2049, True)):
            self.double.load("lab:x", [{"Name": "x", "Description": "x" * (size - frame), "Severity": "Low"}])
            answer = self.get("/v1/namespaces/lab:x/vulnerabilities/x")
            self.assertEqual(len(answer.body), size)
            self.assertEqual("transfer-encoding" in answer.headers, chunked)
            self.assertEqual(answer.headers.get("content-length"), None if chunked else str(size))

    def test_kept_alive(self) -> None:
        """A connection is kept for many requests, an HTTP/1.0 client's for one."""
        self.assertFalse(self.get("/v1/namespaces").closed)
        self.connection.send("GET", "/v1/namespaces", version="HTTP/1.0")
        self.assertTrue(self.connection.received().closed)

    def test_counts(self) -> None:
        """Requests are counted by their kind."""
        for target in (
            "/v1/namespaces",
            f"{LIST}?limit=1",
            LIST,
            f"{LIST}/V-a?fixedIn",
            f"{LIST}/x",
            "/",
            f"{LIST}/V-a/fixes",
        ):
            self.get(target)
        self.assertEqual(self.double.requests, {"namespaces": 1, "list": 2, "details": 2, "fixes": 1, "other": 1})


class TroubleTests(DoubleCase):
    """Switches for failures."""

    def test_database(self) -> None:
        """A failing database affects all requests that need it, with one of two messages, until it is repaired."""
        texts = {
            Trouble.DATABASE: DATABASE,
            Trouble.DATABASE_DOWN: "dial tcp 192.0.2.55:5432: connect: connection refused",
        }
        for trouble, text in texts.items():
            self.double.fail(trouble, None)
            for target in (
                "/v1/namespaces",
                f"{LIST}?limit=1",
                f"{LIST}/V-a",
                "/v1/namespaces/nope/vulnerabilities?limit=1",
            ):
                self.assert_error(self.get(target), 500, text)
            self.assertEqual(self.get(f"{LIST}?limit=x").status, 400)
            self.assertEqual(self.get("/").status, 404)
            self.double.mend()
            self.assertEqual(self.get("/v1/namespaces").status, 200)

    def test_timeout(self) -> None:
        """Clair's time-out message is JSON, but has a text content type."""
        self.double.fail(Trouble.TIMEOUT)
        answer = self.get("/v1/namespaces")
        message = "Clair failed to respond within the configured timeout window."
        self.assertEqual(answer.status, 503)
        self.assertEqual(json.loads(answer.body), {"Error": {"Message": message, "Type": "Timeout"}})
        self.assertEqual(answer.headers, {"content-type": "text/plain; charset=utf-8", "content-length": "102"})

    def test_closed(self) -> None:
        """A handler that panics closes the connection without a byte."""
        self.double.fail(Trouble.CLOSED)
        self.assertEqual(self.get("/v1/namespaces"), HttpClient(None, {}, b"", True))

    def test_how_often_and_what(self) -> None:
        """A failure occurs as often as set, for the kind that is set; failures follow one another."""
        self.double.fail(Trouble.DATABASE, 2, "details")
        self.double.fail(Trouble.TIMEOUT, 1, "details")
        self.assertEqual(self.get(f"{LIST}?limit=1").status, 200)
        statuses = [self.get(f"{LIST}/V-a").status for _ in range(4)]
        self.assertEqual(statuses, [500, 500, 503, 200])

    def test_delay(self) -> None:
        """A delayed response is sent after the delay, or not at all if the client is gone."""
        self.double.delay = 2
        self.connection.send("GET", f"{LIST}/nope")
        self.clock.advance(1.9)
        self.assertEqual(self.connection.received().status, None)
        self.assertEqual(self.double.under_way, 1)
        self.clock.advance(0.1)
        self.assertEqual(self.connection.received().body, NOT_FOUND)
        self.assertEqual(self.double.under_way, 0)
        self.connection.send("GET", "/v1/namespaces")
        self.connection.drop()
        self.assertEqual((self.double.under_way, self.clock.getDelayedCalls()), (0, []))

    def test_too_many_at_once(self) -> None:
        """Requests above the limit of database connections fail at once, or after the delay; later ones succeed."""
        self.double.delay = 1
        self.double.max_parallel = 2
        connections = [Connection(self.double.resource()) for _ in range(4)]
        for connection in connections:
            connection.send("GET", f"{LIST}?limit=1")
        self.clock.advance(1)
        self.assertEqual([connection.received().status for connection in connections], [200, 200, 500, 500])
        self.assertEqual(self.double.most_parallel, 4)
        connections[3].send("GET", f"{LIST}?limit=1")
        self.clock.advance(1)
        self.assertEqual(connections[3].received().status, 200)
