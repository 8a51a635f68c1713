"""Tests for :mod:`patches.server.http.api`: the responses to requests that succeed."""

from __future__ import annotations

import gzip
import json

from patches.errors import SourceError
from patches.server.errors import CatalogueAway
from patches.server.sessions.states import LIVE, State
from patches.wire import MAX_CHUNK_BYTES, StreamDigest, decode_lines, digest, parse_repr_digest
from tests.server.fake_source import HOUR
from tests.server.server_case import GZIP, ServerCase, bulky


class OpeningTests(ServerCase):
    """Opening sessions."""

    def test_active(self) -> None:
        """A session that can be served at once is active, and its document describes the snapshot."""
        answer = self.post({"platform": "debian-12"})
        document = json.loads(answer.body)
        self.assertEqual(answer.status, 201)
        self.assertEqual(answer.headers["content-type"], "application/json")
        self.assertEqual(answer.headers["location"], f"/v1/sessions/{document['session']}")
        snapshot = self.refresh.registry.current("debian-12")
        self.assertEqual(
            document,
            {
                "session": document["session"],
                "platform": "debian-12",
                "state": "active",
                "queuePosition": None,
                "expectedWait": 0.0,
                "pollAfter": 1.0,
                "expiresAfter": 30,
                "chunk": 0,
                "snapshot": {
                    "revision": snapshot.revision,
                    "created": "2023-11-14T22:13:20Z",
                    "checked": "2023-11-14T22:13:20Z",
                    "serial": 1_700_000_000,
                    "vulnerabilities": 9,
                    "chunks": 3,
                    "bytes": snapshot.body_bytes,
                    "digest": snapshot.digest,
                    "unread": 0,
                    "publication": 1,
                },
            },
        )

    def test_queued(self) -> None:
        """A queued session learns its position in the queue, and nothing of the snapshot."""
        for _ in range(3):
            self.open()
        document = json.loads(self.post({"platform": "debian-12"}).body)
        self.assertEqual((document["state"], document["queuePosition"], document["pollAfter"]), ("queued", 1, 0.25))
        self.assertEqual(document["expiresAfter"], 60)
        self.assertNotIn("snapshot", document)

    def test_look(self) -> None:
        """A session can be queried, and the query counts as a sign of life."""
        path = self.open()
        self.read(path, 0)
        self.clock.advance(20)
        answer = self.ask("GET", path)
        self.assertEqual((answer.status, json.loads(answer.body)["chunk"]), (200, 0))
        self.clock.advance(20)
        self.session_service.tick()
        self.assertEqual(self.ask("GET", path).status, 200)

    def test_delete(self) -> None:
        """A session can be ended."""
        path = self.open()
        answer = self.ask("DELETE", path)
        self.assertEqual((answer.status, answer.body), (204, b""))
        self.assertEqual(len(self.session_service.sessions), 0)
        self.refused(self.ask("GET", path), 410, "expired")

    def test_resume(self) -> None:
        """After a restart a session resumes at the chunk that its scanner needs."""
        path = self.open()
        first = self.read(path, 0)
        self.start()
        self.successResultOf(self.started())
        answer = self.post({"resume": path.rpartition("/")[2], "chunk": 1})
        document = json.loads(answer.body)
        self.assertEqual((answer.status, document["chunk"], document["state"]), (201, 1, "active"))
        self.assertEqual(answer.headers["location"], path)
        self.assertEqual(self.read(path, 1).status, 200)
        self.assertEqual(self.read(path, 2).status, 200)
        self.assertEqual(first.status, 200)

    def test_resume_old(self) -> None:
        """A snapshot that was replaced in the meantime is still served to a session that resumes."""
        path = self.open()
        before = self.read(path, 0).body
        self.put("debian-12", 3)
        self.tick(HOUR)
        self.start()
        self.successResultOf(self.started())
        self.post({"resume": path.rpartition("/")[2], "chunk": 0})
        self.assertEqual(self.read(path, 0).body, before)


class ReadingTests(ServerCase):
    """Reading chunks."""

    def test_whole(self) -> None:
        """A session is served its whole list, and the end states the number of records and a digest that fit it."""
        path = self.open()
        stream, records = StreamDigest(), []
        for n in range(3):
            answer = self.read(path, n)
            body = gzip.decompress(answer.body)
            self.assertEqual((answer.status, answer.headers["content-type"]), (200, "application/x-ndjson"))
            self.assertEqual(parse_repr_digest(answer.headers["repr-digest"]), digest(body))
            stream.add(digest(body))
            records += decode_lines(body)
        self.assertEqual(records, bulky(9))
        end = self.read(path, 3)
        self.assertEqual((end.status, end.headers["content-type"]), (200, "application/json"))
        self.assertEqual(
            json.loads(end.body),
            {
                "finished": True,
                "chunks": 3,
                "vulnerabilities": 9,
                "digest": stream.hexdigest(),
                "revision": self.refresh.registry.current("debian-12").revision,
                "unread": 0,
            },
        )

    def test_end_again(self) -> None:
        """The end can be asked for again, in case its answer was lost."""
        path = self.open("alpine-3.20")
        self.read(path, 0)
        self.assertEqual(self.read(path, 1).body, self.read(path, 1).body)
        document = json.loads(self.ask("GET", path).body)
        self.assertEqual((document["state"], document["chunk"]), ("complete", 1))

    def test_again(self) -> None:
        """A chunk can be asked for again, and is the same."""
        path = self.open()
        self.assertEqual(self.read(path, 0).raw, self.read(path, 0).raw)

    def test_same_for_all(self) -> None:
        """Every session is served the same bytes."""
        self.assertEqual(self.read(self.open(), 0).raw, self.read(self.open(), 0).raw)

    def test_identity(self) -> None:
        """A client that does not accept gzip is served the same body uncompressed, with the same digest."""
        path = self.open()
        packed = self.read(path, 0)
        for headers in ({}, {"Accept-Encoding": "br"}, {"Accept-Encoding": "gzip;q=0"}):
            plain = self.ask("GET", f"{path}/chunks/0", headers)
            self.assertNotIn("content-encoding", plain.headers)
            self.assertEqual(plain.body, gzip.decompress(packed.body))
            self.assertEqual(plain.headers["repr-digest"], packed.headers["repr-digest"])
            self.assertEqual(plain.headers["vary"], "Accept-Encoding")

    def test_ways_to_accept_gzip(self) -> None:
        """The response is the same in whichever form gzip is accepted."""
        path = self.open()
        packed = self.read(path, 0)
        for value in ("gzip, deflate, br", "GZIP", "gzip;q=0.5", "*", "br, gzip", "*;q=0, gzip"):
            answer = self.ask("GET", f"{path}/chunks/0", {"Accept-Encoding": value})
            self.assertEqual((answer.raw, value), (packed.raw, value))

    def test_head(self) -> None:
        """HEAD is answered with the same header fields as GET, without a body, compressed or not."""
        path = self.open()
        for headers in (GZIP, {}):
            head = self.ask("HEAD", f"{path}/chunks/0", headers)
            get = self.ask("GET", f"{path}/chunks/0", headers)
            self.assertEqual(head.status, 200)
            for name in ("content-length", "repr-digest", "content-type", "vary"):
                self.assertEqual(head.headers[name], get.headers[name])
            self.assertEqual(head.headers.get("content-encoding"), get.headers.get("content-encoding"))

    def test_not_cached(self) -> None:
        """A cache between server and client must not store a chunk."""
        self.assertEqual(self.read(self.open(), 0).headers["cache-control"], "no-store")

    def test_bounded(self) -> None:
        """The length of a body does not exceed the limit of its readers."""
        answer = self.ask("GET", f"{self.open()}/chunks/0")
        self.assertLessEqual(len(answer.body), MAX_CHUNK_BYTES)


class SinceTests(ServerCase):
    """Scanners that already have a list."""

    def test_unchanged(self) -> None:
        """A scanner that has the current list needs no session; one that has another list gets a session."""
        snapshot = self.refresh.registry.current("debian-12")
        answer = self.post({"platform": "debian-12", "since": snapshot.revision})
        told = json.loads(answer.body)
        self.assertEqual((answer.status, told["unchanged"], told["platform"]), (200, True, "debian-12"))
        self.assertEqual((told["snapshot"]["digest"], told["snapshot"]["chunks"]), (snapshot.digest, 3))
        self.assertEqual(self.session_service.sessions.count("debian-12", State.ACTIVE), 0)
        for since in ("0" * 32, "", None):
            self.assertEqual(self.post({"platform": "debian-12", "since": since}).status, 201)


class HereTests(ServerCase):
    """The platforms, and the state of the server."""

    def test_platforms(self) -> None:
        """The platforms are listed, each with its size, its age and the last error of its refresh."""
        self.source.skipped["no-version"] = 2
        self.put("rocky-9", 0)
        self.tick(HOUR)
        self.clock.advance(90)
        answer = self.ask("GET", "/v1/platforms")
        alpine, debian, rocky = json.loads(answer.body)["platforms"]
        self.assertEqual([p["platform"] for p in (alpine, debian, rocky)], ["alpine-3.20", "debian-12", "rocky-9"])
        self.assertEqual((debian["vulnerabilities"], debian["ageSeconds"], alpine["chunks"]), (9, 90.0, 1))
        self.assertEqual(debian["sources"], {"put": {"read": 9, "skipped": {"no-version": 2}}})
        self.assertEqual(
            debian["refresh"],
            {"failures": 0, "error": None, "alarm": None, "damage": None, "empty": False, "stillGrowing": False},
        )
        self.assertEqual((rocky["revision"], rocky["ageSeconds"]), (None, None))
        self.assertEqual(
            rocky["refresh"],
            {
                "failures": 1,
                "error": "put: the list is empty: 2 records: no-version",
                "alarm": None,
                "damage": None,
                "empty": False,
                "stillGrowing": False,
            },
        )

    def test_platform(self) -> None:
        """A platform is described alone, with the revision of its list as the validator."""
        answer = self.ask("GET", "/v1/platforms/debian-12")
        document = json.loads(answer.body)
        self.assertEqual(document, json.loads(self.ask("GET", "/v1/platforms").body)["platforms"][1])
        self.assertEqual(answer.headers["etag"], f'W/"{document["revision"]}"')
        self.assertEqual(answer.headers["cache-control"], "no-cache")

    def test_platform_unchanged(self) -> None:
        """The head alone is sent to a client that names the current list, until there is another one."""
        tag = self.ask("GET", "/v1/platforms/alpine-3.20").headers["etag"]
        for method in ("GET", "HEAD"):
            answer = self.ask(method, "/v1/platforms/alpine-3.20", {"If-None-Match": f'"other", {tag}'})
            self.assertEqual((answer.status, answer.body, answer.headers["etag"]), (304, b"", tag))
            self.assertNotIn("content-length", answer.headers)
            self.assertNotIn("transfer-encoding", answer.headers)
        self.put("alpine-3.20", 6)
        self.tick(HOUR)
        answer = self.ask("GET", "/v1/platforms/alpine-3.20", {"If-None-Match": tag})
        self.assertEqual((answer.status, json.loads(answer.body)["vulnerabilities"]), (200, 6))

    def test_platform_absent(self) -> None:
        """A platform that is not served is 404, and one whose list is not read yet 503, whatever the client knows."""
        self.put("rocky-9", 0)
        self.tick(HOUR)
        for name, status in (("absent-1", 404), ("rocky-9", 503)):
            answer = self.ask("GET", f"/v1/platforms/{name}", {"If-None-Match": "*"})
            self.assertEqual((answer.status, "etag" in answer.headers), (status, False))

    def test_health(self) -> None:
        """A server that runs reports that it is healthy."""
        answer = self.ask("GET", "/health")
        self.assertEqual((answer.status, json.loads(answer.body)), (200, {"status": "ok"}))

    def test_ready(self) -> None:
        """A server is ready if it can serve one list; the response names the missing and the empty platforms."""
        ready = {"ready": True, "missing": [], "empty": [], "damaged": {}, "alarms": {}, "problem": None}
        self.assertEqual(json.loads(self.ask("GET", "/ready").body), ready)
        self.put("rocky-9", 0)
        self.put("sles-15.6", 0, SourceError("away"))
        self.tick(HOUR)
        answer = self.ask("GET", "/ready")
        some = ready | {"missing": ["sles-15.6"], "empty": ["rocky-9"], "problem": "put: away"}
        self.assertEqual((answer.status, json.loads(answer.body)), (200, some))
        answer = self.ask("GET", "/ready?platform=sles-15.6")
        one = ready | {"ready": False, "missing": ["sles-15.6"], "problem": "put: away"}
        self.assertEqual((answer.status, json.loads(answer.body)), (503, one))
        self.assertEqual(self.ask("GET", "/ready?platform=rocky-9").status, 503)
        answer = self.ask("GET", "/ready?platform=debian-12&other=1")
        self.assertEqual((answer.status, json.loads(answer.body)), (200, ready))
        self.refused(self.ask("GET", "/ready?platform=amiga-3"), 404, "unknown-platform")
        self.put("rocky-9", 5)
        self.tick(10)
        self.put("rocky-9", 2)
        self.tick(HOUR)
        answer = self.ask("GET", "/ready")
        self.assertEqual((answer.status, list(json.loads(answer.body)["alarms"])), (200, ["rocky-9"]))

    def test_away(self) -> None:
        """While the database is away, what is in memory is served, and the rest is refused with a time to come back."""
        body = b'{"platform": "debian-12"}'
        self.session_service.keep(self.refresh.registry.servable())
        session = json.loads(self.ask("POST", "/v1/sessions", body=body).body)["session"]
        self.connections.error = CatalogueAway("connection refused")
        self.watch.tick()
        answer = self.ask("GET", "/ready")
        self.assertEqual(answer.status, 503)
        self.assertEqual(json.loads(answer.body)["problem"], "the catalogue cannot be used: connection refused")
        self.assertIn(b"patches_catalogue_available 0.0", self.ask("GET", "/metrics").body)
        self.assertEqual(self.ask("GET", f"/v1/sessions/{session}/chunks/0", GZIP).status, 200)
        again = b'{"resume": "%s", "chunk": 1}' % session.encode()
        self.assertEqual(self.ask("POST", "/v1/sessions", body=again).status, 201)
        self.assertEqual(self.ask("POST", "/v1/sessions", body=body).status, 201)
        self.session_service.keep([])
        self.session_service._follow(self.session_service.sessions.windows.close_idle(1e9))
        other = self.ask("POST", "/v1/sessions", body=b'{"platform": "alpine-3.20"}')
        self.refused(other, 503, "catalogue")
        self.assertEqual(other.headers["retry-after"], "5")
        self.refused(self.ask("GET", "/v1/vulnerabilities/CVE-1"), 503, "catalogue")
        self.connections.error = None
        self.watch.tick()
        self.assertEqual(self.ask("GET", "/ready").status, 200)
        self.assertIn(b"patches_catalogue_available 1.0", self.ask("GET", "/metrics").body)
        self.assertEqual(self.ask("POST", "/v1/sessions", body=b'{"platform": "alpine-3.20"}').status, 201)

    def test_metrics(self) -> None:
        """The metrics are served as text."""
        answer = self.ask("GET", "/metrics")
        self.assertEqual(answer.status, 200)
        self.assertTrue(answer.headers["content-type"].startswith("text/plain"))
        self.assertIn(b"patches_sessions{", answer.body)

    def test_sign_of_life(self) -> None:
        """The endpoints that describe the server neither need a session nor open one."""
        for path in ("/v1/platforms", "/health", "/ready", "/metrics"):
            self.ask("GET", path)
        self.assertEqual([self.session_service.sessions.count("debian-12", state) for state in LIVE], [0, 0, 0])
