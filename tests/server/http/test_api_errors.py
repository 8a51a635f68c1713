"""Tests for :mod:`patches.server.http.api`: each error has a status, a code, a message and a time for the retry."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from patches.errors import SourceError
from patches.server.budget import RESPONSES, SESSIONS
from patches.server.catalogue.chunks import Chunk
from patches.server.catalogue.pruning import MinimumAge
from patches.server.catalogue.store import Catalogue
from patches.server.errors import ChunkMissing
from patches.server.sessions.session import Limits
from patches.service.budget import CONNECTIONS
from tests.server.fake_source import HOUR
from tests.server.memory_transport import Answer
from tests.server.server_case import GZIP, ServerCase


class MalformedTests(ServerCase):
    """Requests that cannot be understood."""

    def test_bodies(self) -> None:
        """A body that names neither a platform nor a session is malformed."""
        bodies = [b"", b"{", b"null", b"[]", b'"debian-12"', b"{}", b'{"platform": 12}', b'{"platform": null}', b"\xff"]
        for body in bodies:
            self.refused(self.ask("POST", "/v1/sessions", body=body), 400, "malformed")
        self.assertEqual(len(self.session_service.sessions), 0)

    def test_strict(self) -> None:
        """A body is UTF-8 without a byte order mark, and has no member twice and no NaN (RFC 8259 §4, §6 and §8.1)."""
        whole = '{"platform": "debian-12"}'
        for body in (
            *(whole.encode(name) for name in ("utf-8-sig", "utf-16", "utf-16-le", "utf-32")),
            *(
                b'{"platform": "debian-12", "platform": "a"}',
                b'{"platform": "debian-12", "a": {"b": 1, "b": 1}}',
            ),
            *(b'{"platform": "debian-12", "a": NaN}', b'{"platform": "debian-12", "a": -Infinity}'),
        ):
            self.refused(self.ask("POST", "/v1/sessions", body=body), 400, "malformed")
        self.assertEqual(len(self.session_service.sessions), 0)
        self.assertEqual(self.post({"platform": "debian-12", "unknown": 1}).status, 201)

    def test_types(self) -> None:
        """A member of a wrong type is named."""
        token = self.key.create("debian-12", "r")
        for name, document in (
            *(("platform", {"platform": value}) for value in (True, 1, None, [], {"a": 1})),
            *(("since", {"platform": "debian-12", "since": value}) for value in (True, 1, 1.5, [], {})),
            *(("resume", {"resume": value, "chunk": 0}) for value in (True, 1, None, [])),
            *(("chunk", {"resume": token, "chunk": value}) for value in (True, "0", None, 1.5, [])),
        ):
            error = self.refused(self.post(document), 400, "malformed")
            self.assertIn(f'"{name}" must be', error["message"])

    def test_deep(self) -> None:
        """A body that is nested too deeply is malformed."""
        self.refused(self.ask("POST", "/v1/sessions", body=b"[" * 1000), 400, "malformed")
        self.refused(self.ask("POST", "/v1/sessions", body=b'{"a":' * 200), 400, "malformed")

    def test_numbers(self) -> None:
        """A body with a number that is too long to be parsed is malformed."""
        self.refused(self.ask("POST", "/v1/sessions", body=b'{"platform": ' + b"1" * 900 + b"}"), 400, "malformed")

    def test_resume(self) -> None:
        """A request to resume needs a session and a whole number."""
        token = self.open().rpartition("/")[2]
        for chunk in (None, "0", 1.5, True, [0]):
            self.refused(self.post({"resume": token, "chunk": chunk}), 400, "malformed")
        for resume in (None, 1, ["x"], {}):
            self.refused(self.post({"resume": resume, "chunk": 0}), 400, "malformed")
        self.refused(self.post({"resume": token}), 400, "malformed")

    @settings(max_examples=40, deadline=None)
    @given(
        st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner), max_leaves=5)
    )
    def test_anything(self, value: Any) -> None:
        """A body with values of any type in any place gets an error response."""
        for document in (value, {"platform": value}, {"resume": value, "chunk": value}):
            answer = self.post(document)
            self.assertIn(answer.status, (400, 404))
            self.assertIn("error", json.loads(answer.body))

    def test_too_long(self) -> None:
        """A body that is too long is refused, and the connection is closed."""
        wire = self.connect()
        answer = self.ask("POST", "/v1/sessions", body=b" " * 20_000, wire=wire)
        self.refused(answer, 413, "too-large")
        self.assertFalse(wire.connected)


class RoutingTests(ServerCase):
    """Paths and methods that the API does not have."""

    def test_not_found(self) -> None:
        """A path that does not exist is answered with 404, in JSON."""
        for path in ("/", "/v1", "/v1/sessions/a/b", "/v1/sessions/a/chunks/x", "/v1/sessions/a/chunks/-1", "/x?y=z"):
            self.refused(self.ask("GET", path), 404, "not-found")

    def test_method(self) -> None:
        """A method that a path does not support is answered with 405, in JSON."""
        for method, path in (("GET", "/v1/sessions"), ("PUT", "/health"), ("POST", "/v1/sessions/a/chunks/1")):
            self.refused(self.ask(method, path), 405, "method-not-allowed")

    def test_allow(self) -> None:
        """The response names the methods that are allowed (RFC 9110 §15.5.6)."""
        answer = self.ask("GET", "/v1/sessions")
        self.assertEqual(answer.headers["allow"], "OPTIONS, POST")
        self.assertEqual(self.ask("get", "/health").headers["allow"], "GET, HEAD, OPTIONS")

    def test_options(self) -> None:
        """The methods of a path can be asked for, and those of the server (RFC 9110 §9.3.7, RFC 9112 §3.2.4)."""
        for path, allowed in (
            ("*", "DELETE, GET, HEAD, OPTIONS, POST"),
            ("/v1/sessions", "OPTIONS, POST"),
            ("/v1/sessions/absent", "DELETE, GET, HEAD, OPTIONS"),
            ("/openapi.json", "GET, HEAD, OPTIONS"),
        ):
            answer = self.ask("OPTIONS", path)
            self.assertEqual((answer.status, answer.body, answer.headers["allow"]), (204, b"", allowed))
        self.refused(self.ask("OPTIONS", "/absent"), 404, "not-found")
        self.refused(self.ask("GET", "*"), 400, "malformed")

    def test_odd_paths(self) -> None:
        """A path that cannot be decoded, or has superfluous slashes, is answered in JSON as well."""
        for path, status in (("/%ff", 400), ("/v1//platforms", 404), ("/health/", 404)):
            answer = self.ask("GET", path)
            self.assertEqual((answer.status, path), (status, path))
            self.assertIn("error", json.loads(answer.body))

    def test_head(self) -> None:
        """An error response to HEAD has no body."""
        self.assertEqual(self.ask("HEAD", "/v1/sessions/a").status, 404)


class SessionErrorsTests(ServerCase):
    """Requests that a session cannot fulfil."""

    def test_unknown_platform(self) -> None:
        """A platform that no source has is unknown."""
        self.refused(self.post({"platform": "amiga-3"}), 404, "unknown-platform")

    def test_not_ready(self) -> None:
        """A platform that does not have a list yet is not ready, nor is one whose list is known and empty."""
        self.put("rocky-9", 0, SourceError("away"))
        self.put("sles-15.6", 0)
        self.tick(HOUR)
        for platform, message, pause in (
            ("rocky-9", "the list of rocky-9 has not been read yet", "10"),
            ("sles-15.6", "the list of sles-15.6 is known, and is empty", "600"),
        ):
            answer = self.post({"platform": platform})
            self.assertEqual(self.refused(answer, 503, "not-ready")["message"], message)
            self.assertEqual(answer.headers["retry-after"], pause)

    def test_unknown_session(self) -> None:
        """A session that this server never had is unknown, whichever request names it."""
        token = self.key.create("debian-12", "r")
        for name in (token, "x"):
            for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/chunks/0")):
                self.refused(self.ask(method, f"/v1/sessions/{name}{path}"), 404, "unknown-session")
        self.refused(self.post({"resume": token[:-1] + "!", "chunk": 0}), 404, "unknown-session")

    def test_out_of_order(self) -> None:
        """A chunk other than the session's next or last one is out of order, including any behind the end."""
        path = self.open()
        self.refused(self.read(path, 1), 409, "out-of-order")
        self.read(path, 0)
        self.read(path, 1)
        for n in (0, 3, 4, 10**6, 10**9 - 1):
            self.refused(self.read(path, n), 409, "out-of-order")
        self.assertEqual(self.read(path, 2).status, 200)

    def test_numbers(self) -> None:
        """A number in a path has one form: ASCII digits without a sign and without a leading zero; nine at most."""
        path = self.open()
        for n in (
            "00",
            "007",
            "+0",
            "-0",
            "0x0",
            "1e0",
            "%D9%A0",
            "%D9%A1",
            "0%0A",
            "0%20",
            "%2B0",
            10**9,
            10**30,
            "",
            " ",
        ):
            for headers in (GZIP, {}):
                target = f"{path}/chunks/{n}".replace(" ", "%20")
                self.refused(self.ask("GET", target, headers), 404, "not-found")
        self.assertEqual(self.ask("GET", f"{path}/chunks/0", GZIP).status, 200)

    def test_doubled_slash(self) -> None:
        """A path with a doubled slash is not found, wherever it is."""
        target = f"{self.open()}/chunks/0"
        for position in (position for position, each in enumerate(target) if each == "/"):
            for headers in (GZIP, {}):
                odd = f"{target[:position]}/{target[position:]}"
                self.refused(self.ask("GET", odd, headers), 404, "not-found")

    def test_resume_at_no_chunk(self) -> None:
        """A session cannot be resumed behind its end or before its beginning."""
        token = self.open().rpartition("/")[2]
        for chunk in (-1, 4, 10**30):
            self.refused(self.post({"resume": token, "chunk": chunk}), 409, "out-of-order")
        self.assertEqual(self.post({"resume": token, "chunk": 3}).status, 201)

    def test_expired(self) -> None:
        """A client learns why its session has expired."""
        path = self.open()
        self.clock.advance(31)
        self.session_service.tick()
        for method, more in (("GET", ""), ("GET", "/chunks/0"), ("DELETE", "")):
            error = self.refused(self.ask(method, path + more), 410, "expired")
            self.assertIn("silent", error["message"])

    def test_snapshot_gone(self) -> None:
        """A session cannot be resumed if its snapshot was deleted."""
        path = self.open()
        self.read(path, 0)
        self.put("debian-12", 12)
        self.tick(HOUR)
        self.catalogue.prune(set(), MinimumAge(1e12))
        self.start()
        self.successResultOf(self.started())
        resumed = self.post({"resume": path.rpartition("/")[2], "chunk": 0})
        self.refused(resumed, 410, "expired")

    def test_queue_full(self) -> None:
        """A client that meets a full queue learns when to come back, from what the queue took lately."""
        first = self.open()
        for _ in range(3):
            self.open()
        self.clock.advance(20)
        self.ask("DELETE", first)  # one place became free in 20 s
        self.open()
        answer = self.post({"platform": "debian-12"})
        self.refused(answer, 503, "queue-full")
        self.assertEqual(answer.headers["retry-after"], "20")

    def test_stopping(self) -> None:
        """A server that stops does not open a session."""
        self.session_service.stop()
        answer = self.post({"platform": "debian-12"})
        self.refused(answer, 503, "stopping")
        self.assertEqual(answer.headers["retry-after"], "1")


class MemoryTests(ServerCase):
    """Requests while memory is short."""

    limits = Limits(max_active=1000, max_queued=1000)

    def test_sessions(self) -> None:
        """
        A session for which there is no memory is denied with a time for the retry; it is opened once memory is free.
        """
        taken = self.budget.free(SESSIONS)
        self.budget.take(SESSIONS, taken)
        answer = self.post({"platform": "debian-12"})
        self.refused(answer, 503, "memory-limit")
        self.assertEqual(answer.headers["retry-after"], "15")
        self.budget.release(SESSIONS, taken)
        self.assertEqual(self.post({"platform": "debian-12"}).status, 201)

    def test_bodies_of_their_own(self) -> None:
        """Without memory a response of its own is refused; a response that sessions share is served."""
        path = self.open()
        self.budget.take(RESPONSES, self.budget.free(RESPONSES))
        self.refused(self.ask("GET", f"{path}/chunks/0"), 503, "memory-limit")
        self.assertEqual(self.read(path, 0).status, 200)

    def test_given_back(self) -> None:
        """The memory of a response of its own is released, whether or not the client receives the response."""
        path = self.open()
        self.ask("GET", f"{path}/chunks/0")
        self.assertEqual(self.budget.used[RESPONSES], 0)
        wire = self.connect(takes=0)
        wire.send(f"GET {path}/chunks/0 HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        self.assertGreater(self.budget.used[RESPONSES], 0)
        wire.hang_up()
        self.assertEqual((self.budget.used[RESPONSES], self.budget.used[CONNECTIONS]), (0, 0))

    def test_head(self) -> None:
        """A HEAD request leaves no memory reserved."""
        self.ask("HEAD", f"{self.open()}/chunks/0", GZIP)
        self.assertEqual(self.budget.used[RESPONSES], 0)


class BrokenCatalogue(Catalogue):
    """A catalogue whose chunks cannot be read."""

    trouble: Exception | None = None

    def chunk(self, revision: str, number: int) -> Chunk:
        """Fail, once there is trouble."""
        if self.trouble is not None:
            raise self.trouble
        return super().chunk(revision, number)


class BrokenTests(ServerCase):
    """A catalogue that fails while a session reads from it."""

    def setUp(self) -> None:
        super().setUp()
        self.broken = BrokenCatalogue(self.catalogue._engine)
        self.catalogue = self.broken
        self.start()
        self.tick()
        self.broken.trouble = ZeroDivisionError("secret")

    def test_internal(self) -> None:
        """An internal error is logged, and reported without its details; the session can ask again."""
        path = self.open()
        for _ in range(2):
            error = self.refused(self.ask_patiently(path), 500, "internal")
            self.assertNotIn("secret", error["message"])
        self.assertTrue(self.flushLoggedErrors(ZeroDivisionError))
        self.assertEqual(self.ask("GET", path).status, 200)

    def test_chunk_gone(self) -> None:
        """A session whose chunk was deleted from the catalogue expires."""
        self.broken.trouble = ChunkMissing("gone")
        self.refused(self.ask_patiently(self.open()), 410, "expired")
        self.flushLoggedErrors(ChunkMissing)

    def ask_patiently(self, path: str) -> Answer:
        """Ask for the first chunk, and prefer to wait for it."""
        return self.ask("GET", f"{path}/chunks/0", {**GZIP, "Prefer": "wait=5"})
