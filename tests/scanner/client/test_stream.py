"""The client accepts a stream as complete only if it is verified, and recovers from errors that can be recovered."""

from __future__ import annotations

from datetime import timedelta

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import ResponseFailed

from patches.scanner.client.client import ClientSettings, PatchesClient
from patches.scanner.client.stream import VulnerabilityStream
from patches.scanner.client.verified_stream import NotVerified, Refused, SessionLost, StreamError
from patches.vulnerability import FixedPackage, Vulnerability
from patches.wire import encode_line
from tests.scanner.scripted_client import REFUSED, Canned, CannedHTTP, chunk, document, end, error, session


def lines(*names: str) -> bytes:
    """Return the body of a chunk."""
    return b"".join(encode_line(Vulnerability(name, "debian-12", (FixedPackage(name.lower(), "1"),))) for name in names)


A, B = lines("A1", "A2"), lines("B1")


class StreamCase(SynchronousTestCase):
    """A client, a clock, and scripted responses."""

    def setUp(self) -> None:
        self.clock = Clock()

    def take(self, *answers: object) -> Deferred[list[str]]:
        """Read a stream. Return the names that were received."""
        self.http = CannedHTTP(*answers)  # type: ignore[arg-type]
        settings = ClientSettings(contact=timedelta(seconds=5), patience=timedelta(minutes=10))
        client = PatchesClient(self.http, "http://server", self.clock, settings, jitter=lambda: 0.0)
        self.stream: VulnerabilityStream = client.stream("debian-12")

        async def read() -> list[str]:
            return [vulnerability.name async for vulnerability in self.stream]

        return ensureDeferred(read())

    def paths(self) -> list[str]:
        """Return the requests in short form."""
        return [f"{asked.method} {asked.url.removeprefix('http://server/v1/sessions')}" for asked in self.http.asked]


class WholeTests(StreamCase):
    """Streams that match their description."""

    def test_whole(self) -> None:
        """Every vulnerability is received once, in order; the stream is complete, with count and digest."""
        reading = self.take(session(), chunk(A), chunk(B), end(A, B))
        self.assertEqual(self.successResultOf(reading), ["A1", "A2", "B1"])
        self.assertTrue(self.stream.complete)
        self.assertEqual(self.stream.served, 3)
        self.assertEqual(self.http.asked[0].document, {"platform": "debian-12"})
        self.assertEqual(self.paths()[1:], ["GET /s1/chunks/0", "GET /s1/chunks/1", "GET /s1/chunks/2"])

    def test_named(self) -> None:
        """Only vulnerabilities with a fix for one of the given names are yielded; all are counted and verified."""
        self.http = CannedHTTP(session(), chunk(A), chunk(B), end(A, B))
        stream = PatchesClient(self.http, "http://server", self.clock).stream("debian-12")

        async def read() -> list[str]:
            return [vulnerability.name async for vulnerability in stream.naming({"a2"})]

        self.assertEqual(self.successResultOf(ensureDeferred(read())), ["A2"])
        self.assertEqual((stream.complete, stream.served), (True, 3))

    def test_long_poll(self) -> None:
        """Requests for chunks ask the server to wait."""
        self.take(session(), chunk(A), end(A))
        self.assertEqual(self.http.asked[1].fields["Prefer"], "wait=20")

    def test_queued(self) -> None:
        """A queued session retries when the server says, and requests the description of its list later."""
        wait = document(202, {"state": "queued", "queuePosition": 3, "pollAfter": 4})
        described = document(200, {"session": "s1", "snapshot": {"revision": "r1"}})
        reading = self.take(session("queued"), wait, chunk(A), described, end(A))
        self.clock.advance(3.9)
        self.assertNoResult(reading)
        self.clock.advance(0.2)
        self.assertEqual(self.successResultOf(reading), ["A1", "A2"])
        self.assertEqual(self.stream.snapshot["revision"], "r1")

    def test_queued_and_cut_off(self) -> None:
        """If the server is away when the description is requested, it is requested again."""
        described = document(200, {"session": "s1", "snapshot": {"revision": "r1"}})
        reading = self.take(session("queued"), chunk(A), REFUSED, REFUSED, described, end(A))
        self.clock.advance(30)
        self.clock.advance(30)
        self.assertEqual(self.successResultOf(reading), ["A1", "A2"])
        self.assertEqual(self.stream.snapshot["revision"], "r1")


class BrokenTests(StreamCase):
    """Streams that do not match their description: they are never complete."""

    def refused(self, kind: type[Exception], *answers: object) -> str:
        """Read a stream that must fail. Return the reason."""
        reason = self.failureResultOf(self.take(*answers), kind)
        self.assertFalse(self.stream.complete)
        self.assertNotIn("\n", str(reason.value))
        return str(reason.value)

    def test_corrupt(self) -> None:
        """A chunk with another digest than the announced one is refused."""
        self.assertIn("chunk 0", self.refused(NotVerified, session(), chunk(A, announced=b"x" * 32)))

    def test_no_digest(self) -> None:
        """A chunk without a digest is refused."""
        self.refused(NotVerified, session(), Canned(200, A, {"Content-Type": "application/x-ndjson"}))

    def test_reordered(self) -> None:
        """Chunks in another order do not result in the digest of the whole list."""
        self.assertIn("digest", self.refused(NotVerified, session(), chunk(B), chunk(A), end(A, B)))

    def test_short(self) -> None:
        """A stream that ends early is not complete."""
        self.refused(NotVerified, session(), chunk(A), end(A, B))

    def test_short_by_count_alone(self) -> None:
        """A wrong number of vulnerabilities is detected, whatever the digest is."""
        self.assertIn("vulnerabilities", self.refused(NotVerified, session(), chunk(A), end(A, vulnerabilities=3)))

    def test_other_revision(self) -> None:
        """The end of another snapshot is not the end of this one."""
        self.assertIn("revision", self.refused(NotVerified, session(), chunk(A), end(A, revision="r2")))

    def test_no_end(self) -> None:
        """A document without ``finished`` does not end the stream."""
        self.refused(NotVerified, session(), chunk(A), end(A, finished=False))

    def test_not_vulnerabilities(self) -> None:
        """Lines that are not vulnerabilities are refused."""
        self.refused(NotVerified, session(), chunk(b'{"name": 1}\n'))
        self.refused(NotVerified, session(), chunk(b"not JSON\n"))

    def test_unknown_platform(self) -> None:
        """A request that the server refuses fails with the server's error code."""
        reason = self.failureResultOf(self.take(error(404, "unknown-platform")), Refused)
        self.assertEqual(reason.value.code, "unknown-platform")

    def test_nobody_there(self) -> None:
        """The client gives up within seconds if the server never answers."""
        reading = self.take(*[REFUSED] * 20)
        self.clock.pump([0.5] * 12)
        self.assertIn("cannot be reached", str(self.failureResultOf(reading, StreamError).value))

    def test_silence(self) -> None:
        """A request that is never answered times out, and the retries end."""
        reading = self.take(session())
        self.clock.pump([10] * 100)
        self.assertIn("did not answer", str(self.failureResultOf(reading, StreamError).value))


class MendedTests(StreamCase):
    """Errors from which the client recovers."""

    def test_connection_breaks(self) -> None:
        """A request whose response was lost is sent again after a pause."""
        broken = chunk(A)
        broken.body_failure = ResponseFailed([])
        reading = self.take(session(), broken, REFUSED, chunk(A), end(A))
        self.clock.pump([0.6, 1.1])
        self.assertEqual(self.successResultOf(reading), ["A1", "A2"])
        self.assertEqual(self.paths()[1:4], ["GET /s1/chunks/0"] * 3)

    def test_restarted_server(self) -> None:
        """A session that the server does not know any longer is resumed at the next chunk."""
        reading = self.take(session(), chunk(A), error(404, "unknown-session"), session(), chunk(B), end(A, B))
        self.assertEqual(self.successResultOf(reading), ["A1", "A2", "B1"])
        self.assertEqual(self.http.asked[3].document, {"resume": "s1", "chunk": 1})

    def test_expired(self) -> None:
        """An expired session is resumed, with whatever name the server gives it."""
        reading = self.take(session(), chunk(A), error(410, "expired"), session(token="s2"), chunk(B), end(A, B))
        self.assertEqual(self.successResultOf(reading), ["A1", "A2", "B1"])
        self.assertEqual(self.paths()[4], "GET /s2/chunks/1")

    def test_denied(self) -> None:
        """A denied client comes back at the time that the server asked for, and not before."""
        reading = self.take(error(503, "queue-full", Retry_After="30"), session(), chunk(A), end(A))
        self.clock.advance(29)
        self.assertNoResult(reading)
        self.clock.advance(2)
        self.assertEqual(self.successResultOf(reading), ["A1", "A2"])

    def test_denied_for_ever(self) -> None:
        """Retries after denials end, with the server's reason."""
        reading = self.take(*[error(503, "queue-full", Retry_After="30")] * 100)
        self.clock.pump([30] * 40)
        self.assertIn("it is queue-full", str(self.failureResultOf(reading, StreamError).value))

    def test_other_snapshot(self) -> None:
        """A session that continues with another snapshot is lost: the chunks so far are of another list."""
        reading = self.take(session(), chunk(A), error(410, "expired"), session(revision="r2"))
        self.failureResultOf(reading, SessionLost)

    def test_snapshot_gone(self) -> None:
        """A session that cannot be resumed is lost."""
        self.failureResultOf(self.take(session(), error(410, "expired"), error(410, "expired")), SessionLost)

    def test_resumed_in_vain(self) -> None:
        """The client gives up a session that expires again and again without progress."""
        reading = self.take(session(), *[error(410, "expired"), session()] * 20)
        self.failureResultOf(reading, SessionLost)
