"""The client takes a stream for whole only if it is, and makes good what can be made good."""

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
    """Make a chunk's body."""
    return b"".join(encode_line(Vulnerability(name, "debian-12", (FixedPackage(name.lower(), "1"),))) for name in names)


A, B = lines("A1", "A2"), lines("B1")


class StreamCase(SynchronousTestCase):
    """A client, a clock, and answers written down beforehand."""

    def setUp(self) -> None:
        self.clock = Clock()

    def take(self, *answers: object) -> Deferred[list[str]]:
        """Read a stream; gives the names that came."""
        self.http = CannedHTTP(*answers)  # type: ignore[arg-type]
        settings = ClientSettings(contact=timedelta(seconds=5), patience=timedelta(minutes=10))
        client = PatchesClient(self.http, "http://server", self.clock, settings, jitter=lambda: 0.0)
        self.stream: VulnerabilityStream = client.stream("debian-12")

        async def read() -> list[str]:
            return [vulnerability.name async for vulnerability in self.stream]

        return ensureDeferred(read())

    def paths(self) -> list[str]:
        """Tell what was asked for, in short."""
        return [f"{asked.method} {asked.url.removeprefix('http://server/v1/sessions')}" for asked in self.http.asked]


class WholeTests(StreamCase):
    """Streams that are what the server says."""

    def test_whole(self) -> None:
        """Every vulnerability comes once, in order; the stream is complete, with count and digest."""
        reading = self.take(session(), chunk(A), chunk(B), end(A, B))
        self.assertEqual(self.successResultOf(reading), ["A1", "A2", "B1"])
        self.assertTrue(self.stream.complete)
        self.assertEqual(self.stream.served, 3)
        self.assertEqual(self.http.asked[0].document, {"platform": "debian-12"})
        self.assertEqual(self.paths()[1:], ["GET /s1/chunks/0", "GET /s1/chunks/1", "GET /s1/chunks/2"])

    def test_named(self) -> None:
        """Only what fixes packages of given names is given; all of it is counted and verified."""
        self.http = CannedHTTP(session(), chunk(A), chunk(B), end(A, B))
        stream = PatchesClient(self.http, "http://server", self.clock).stream("debian-12")

        async def read() -> list[str]:
            return [vulnerability.name async for vulnerability in stream.naming({"a2"})]

        self.assertEqual(self.successResultOf(ensureDeferred(read())), ["A2"])
        self.assertEqual((stream.complete, stream.served), (True, 3))

    def test_long_poll(self) -> None:
        """Chunks are asked for with the wish to wait."""
        self.take(session(), chunk(A), end(A))
        self.assertEqual(self.http.asked[1].fields["Prefer"], "wait=20")

    def test_queued(self) -> None:
        """A session that is queued asks again when the server says, and learns later what it reads."""
        wait = document(202, {"state": "queued", "queuePosition": 3, "pollAfter": 4})
        described = document(200, {"session": "s1", "snapshot": {"revision": "r1"}})
        reading = self.take(session("queued"), wait, chunk(A), described, end(A))
        self.clock.advance(3.9)
        self.assertNoResult(reading)
        self.clock.advance(0.2)
        self.assertEqual(self.successResultOf(reading), ["A1", "A2"])
        self.assertEqual(self.stream.snapshot["revision"], "r1")


class BrokenTests(StreamCase):
    """Streams that are not what they should be: never complete."""

    def refused(self, kind: type[Exception], *answers: object) -> str:
        """Read a stream that must fail so; gives the reason."""
        reason = self.failureResultOf(self.take(*answers), kind)
        self.assertFalse(self.stream.complete)
        self.assertNotIn("\n", str(reason.value))
        return str(reason.value)

    def test_corrupt(self) -> None:
        """A chunk that is not the one that was announced is not taken."""
        self.assertIn("chunk 0", self.refused(NotVerified, session(), chunk(A, announced=b"x" * 32)))

    def test_no_digest(self) -> None:
        """A chunk without a digest is not taken."""
        self.refused(NotVerified, session(), Canned(200, A, {"Content-Type": "application/x-ndjson"}))

    def test_reordered(self) -> None:
        """Chunks that came in another order do not make the digest of the whole."""
        self.assertIn("digest", self.refused(NotVerified, session(), chunk(B), chunk(A), end(A, B)))

    def test_short(self) -> None:
        """A stream that ends early is not complete."""
        self.refused(NotVerified, session(), chunk(A), end(A, B))

    def test_short_by_count_alone(self) -> None:
        """A wrong number of vulnerabilities is noticed, whatever the digest says."""
        self.assertIn("vulnerabilities", self.refused(NotVerified, session(), chunk(A), end(A, vulnerabilities=3)))

    def test_other_revision(self) -> None:
        """The end of another snapshot is not the end of this one."""
        self.assertIn("revision", self.refused(NotVerified, session(), chunk(A), end(A, revision="r2")))

    def test_no_end(self) -> None:
        """A document that does not say that the stream is finished does not finish it."""
        self.refused(NotVerified, session(), chunk(A), end(A, finished=False))

    def test_not_vulnerabilities(self) -> None:
        """Lines that are no vulnerabilities are refused."""
        self.refused(NotVerified, session(), chunk(b'{"name": 1}\n'))
        self.refused(NotVerified, session(), chunk(b"not JSON\n"))

    def test_unknown_platform(self) -> None:
        """What the server will not serve is told with its word for it."""
        reason = self.failureResultOf(self.take(error(404, "unknown-platform")), Refused)
        self.assertEqual(reason.value.code, "unknown-platform")

    def test_nobody_there(self) -> None:
        """A server that was never there is given up within seconds."""
        reading = self.take(*[REFUSED] * 20)
        self.clock.pump([0.5] * 12)
        self.assertIn("cannot be reached", str(self.failureResultOf(reading, StreamError).value))

    def test_silence(self) -> None:
        """A request that is never answered has a time-out, and patience an end."""
        reading = self.take(session())
        self.clock.pump([10] * 100)
        self.assertIn("did not answer", str(self.failureResultOf(reading, StreamError).value))


class MendedTests(StreamCase):
    """Troubles that are made good."""

    def test_connection_breaks(self) -> None:
        """A lost answer is asked for again, after a pause."""
        broken = chunk(A)
        broken.body_failure = ResponseFailed([])
        reading = self.take(session(), broken, REFUSED, chunk(A), end(A))
        self.clock.pump([0.6, 1.1])
        self.assertEqual(self.successResultOf(reading), ["A1", "A2"])
        self.assertEqual(self.paths()[1:4], ["GET /s1/chunks/0"] * 3)

    def test_restarted_server(self) -> None:
        """A session that the server does not know any more is resumed at the chunk that comes next."""
        reading = self.take(session(), chunk(A), error(404, "unknown-session"), session(), chunk(B), end(A, B))
        self.assertEqual(self.successResultOf(reading), ["A1", "A2", "B1"])
        self.assertEqual(self.http.asked[3].document, {"resume": "s1", "chunk": 1})

    def test_expired(self) -> None:
        """An expired session is resumed, under whatever name the server gives it."""
        reading = self.take(session(), chunk(A), error(410, "expired"), session(token="s2"), chunk(B), end(A, B))
        self.assertEqual(self.successResultOf(reading), ["A1", "A2", "B1"])
        self.assertEqual(self.paths()[4], "GET /s2/chunks/1")

    def test_denied(self) -> None:
        """A denial is obeyed: the client comes back when it is told to, and not before."""
        reading = self.take(error(503, "queue-full", Retry_After="30"), session(), chunk(A), end(A))
        self.clock.advance(29)
        self.assertNoResult(reading)
        self.clock.advance(2)
        self.assertEqual(self.successResultOf(reading), ["A1", "A2"])

    def test_denied_for_ever(self) -> None:
        """Patience with denials ends, with the server's reason."""
        reading = self.take(*[error(503, "queue-full", Retry_After="30")] * 100)
        self.clock.pump([30] * 40)
        self.assertIn("it is queue-full", str(self.failureResultOf(reading, StreamError).value))

    def test_other_snapshot(self) -> None:
        """A session that goes on with another snapshot is lost: what came so far is of another list."""
        reading = self.take(session(), chunk(A), error(410, "expired"), session(revision="r2"))
        self.failureResultOf(reading, SessionLost)

    def test_snapshot_gone(self) -> None:
        """A session that cannot be resumed is lost."""
        self.failureResultOf(self.take(session(), error(410, "expired"), error(410, "expired")), SessionLost)

    def test_resumed_in_vain(self) -> None:
        """A session that expires again and again without progress is given up."""
        reading = self.take(session(), *[error(410, "expired"), session()] * 20)
        self.failureResultOf(reading, SessionLost)
