"""Tests for :mod:`patches.scanner.client.bounds`, and the bounds of whole streams."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.client.bounds import (
    MOST_BYTES,
    MOST_CHUNKS,
    MOST_RECORDS,
    PASS_SECONDS,
    SLOWEST_RATE,
    Bounds,
    SizeMeter,
)
from patches.scanner.client.verified_stream import NotVerified, StreamError
from patches.wire import MAX_CHUNK_BYTES
from tests.scanner.client.test_stream import A, B, StreamCase
from tests.scanner.scripted_client import Canned, chunk, document, end, error, session


def described(**changes: Any) -> dict[str, Any]:
    """Describe the list of both chunks."""
    return {"revision": "r1", "vulnerabilities": 3, "chunks": 2, "bytes": len(A + B), **changes}


class BoundsTests(SynchronousTestCase):
    """The description of a list, which is not trusted."""

    def test_said(self) -> None:
        """A list may have what its description says; what that does not say is bounded by the ceilings."""
        self.assertEqual(Bounds.of_list(described()), Bounds(3, 2, len(A + B)))
        self.assertEqual(Bounds.of_list({}), Bounds(MOST_RECORDS, MOST_CHUNKS, MOST_BYTES))
        self.assertEqual(Bounds.of_list({"chunks": 2}).body_bytes, 2 * MAX_CHUNK_BYTES)

    def test_malformed(self) -> None:
        """A number that is no count is refused, and one beyond a ceiling unless it is signed."""
        for value in (-1, 1.0, True, "3", [], 1e400, 10**400):
            for name in ("vulnerabilities", "chunks", "bytes"):
                for is_signed in (False, True):
                    self.assertRaises(NotVerified, Bounds.of_list, described(**{name: value}), is_signed)
        for name, most in (("vulnerabilities", MOST_RECORDS), ("chunks", MOST_CHUNKS), ("bytes", MOST_BYTES)):
            self.assertRaises(NotVerified, Bounds.of_list, described(**{name: most + 1}))
            self.assertRaises(NotVerified, Bounds.of_list, described(**{name: 10**300}))
            Bounds.of_list(described(**{name: most + 1}), is_signed=True)
        self.assertRaises(NotVerified, Bounds.of_delta, {"changes": -1})

    def test_seconds(self) -> None:
        """The time of a pass grows with the size of the list."""
        self.assertEqual(Bounds(1, 1, 10 * SLOWEST_RATE).seconds, PASS_SECONDS + 10)


class MeterTests(SynchronousTestCase):
    """The size so far is compared at each chunk."""

    def test_beyond(self) -> None:
        """The first chunk, record or byte beyond the bounds is refused."""
        for bounds in (Bounds(3, 1, 9), Bounds(2, 2, 9), Bounds(3, 2, 5)):
            meter = SizeMeter("list", bounds)
            meter.add(b"a\nb\n")
            self.assertIn("more than", str(self.assertRaises(NotVerified, meter.add, b"c\n")))


class StreamBoundsTests(StreamCase):
    """Streams end where their description ends."""

    def test_at_once(self) -> None:
        """A stream is refused at the first chunk beyond its description, and no further request is sent."""
        for changes in ({"vulnerabilities": 2}, {"chunks": 1}, {"bytes": len(A + B) - 1}):
            reading = self.take(session(snapshot=described(**changes)), chunk(A), chunk(B), *[chunk(B)] * 9)
            self.failureResultOf(reading, NotVerified)
            self.assertEqual(len(self.http.asked), 3)

    def test_description(self) -> None:
        """A list that is shorter than its description, or has records where none are said, is refused at its end."""
        for changes in ({"chunks": 3}, {"bytes": len(A + B) + 1}, {"vulnerabilities": 4}, {"empty": True}):
            reading = self.take(session(snapshot=described(**changes)), chunk(A), chunk(B), end(A, B))
            self.failureResultOf(reading, NotVerified)
            self.assertFalse(self.stream.complete)

    def test_other_record(self) -> None:
        """A record of another platform is refused, whatever the session says."""
        other = A.replace(b"debian-12", b"alpine-3.20")
        failure = self.failureResultOf(self.take(session(), chunk(other), end(other)), NotVerified)
        self.assertIn("another platform", str(failure.value))

    def test_queued(self) -> None:
        """The description that follows a wait bounds the chunk that came before it."""
        late = document(200, {"session": "s1", "snapshot": described(bytes=1)})
        self.failureResultOf(self.take(session("queued"), chunk(A), late, chunk(B)), NotVerified)
        self.assertEqual(self.stream.served, 0)

    def test_queued_again(self) -> None:
        """A session that is resumed just then, and has to wait again, is described when it is active."""
        lost, queued = (
            error(404, "unknown-session"),
            document(200, {"session": "s1", "state": "queued", "pollAfter": 2.0}),
        )
        active = document(200, {"session": "s1", "snapshot": described()})
        reading = self.take(session("queued"), chunk(A), lost, session("queued"), queued, active, chunk(B), end(A, B))
        self.assertNoResult(reading)
        self.clock.advance(2)
        self.assertEqual(len(self.successResultOf(reading)), 3)

    def test_never_described(self) -> None:
        """A list that is not described is not accepted, neither its chunks nor its end."""
        undescribed = document(200, {"session": "s1"})
        for answer in (chunk(A), end()):
            failure = self.failureResultOf(self.take(session("queued"), answer, undescribed), NotVerified)
            self.assertIn("without describing", str(failure.value))

    def test_described_by_another(self) -> None:
        """A session that is lost before its list is described is resumed, which describes it."""
        lost, resumed = error(410, "expired"), session(snapshot=described())
        reading = self.take(session("queued"), chunk(A), lost, resumed, chunk(B), end(A, B))
        self.assertEqual(self.successResultOf(reading), ["A1", "A2", "B1"])

    def test_changed(self) -> None:
        """The description of one revision does not change."""
        more = session(snapshot=described(chunks=9))
        self.failureResultOf(
            self.take(session(snapshot=described()), error(410, "expired"), more, chunk(A)), NotVerified
        )

    def test_other_platform(self) -> None:
        """The list of another platform is refused."""
        other = document(201, {"session": "s1", "state": "active", "platform": "alpine-3.20", "snapshot": described()})
        failure = self.failureResultOf(self.take(other), NotVerified)
        self.assertIn("another platform: 'alpine-3.20'", str(failure.value))

    def test_empty(self) -> None:
        """A list without records is refused unless the server says that it is known to be empty."""
        nothing = described(vulnerabilities=0, chunks=0, bytes=0)
        self.failureResultOf(self.take(session(snapshot=nothing), end()), NotVerified)
        self.assertEqual(self.successResultOf(self.take(session(snapshot={**nothing, "empty": True}), end())), [])

    def test_endless(self) -> None:
        """A server that makes a scanner wait for ever is given up when the time of the pass is over."""
        wait = Canned(202, b'{"pollAfter": 1e300}')
        reading = self.take(session(snapshot=described()), chunk(A), *[wait] * 400)
        self.clock.pump([1.0] * 299)
        self.assertNoResult(reading)
        self.clock.pump([1.0] * 3)
        self.assertIn("not received within 300 s", str(self.failureResultOf(reading, StreamError).value))

    def test_silent(self) -> None:
        """This also holds while a response does not come."""
        wait = Canned(202, b'{"pollAfter": 60}')
        reading = self.take(session(snapshot=described()), *[wait] * 5)
        self.clock.pump([1.0] * 310)
        self.assertIn("not received within 300 s", str(self.failureResultOf(reading, StreamError).value))
