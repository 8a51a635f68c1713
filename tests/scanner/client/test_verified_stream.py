"""Tests for :mod:`patches.scanner.client.verified_stream`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from twisted.internet.defer import ensureDeferred
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.client.verified_stream import NotVerified, Refused, Unchanged, VerifiedStream
from patches.vulnerability import FixedPackage, Vulnerability
from patches.wire import StreamDigest, digest, encode_line

RECORDS = [Vulnerability(f"CVE-2024-{n:04}", "debian-12", (FixedPackage(f"p{n}", "2"),)) for n in range(4)]
BODIES = [b"".join(map(encode_line, RECORDS[:3])), encode_line(RECORDS[3])]


def described(**changes: Any) -> dict[str, Any]:
    """Return the description of a list with these bodies."""
    whole = StreamDigest()
    for body in BODIES:
        whole.add(digest(body))
    return {"chunks": 2, "vulnerabilities": 4, "digest": whole.hexdigest(), "revision": "r1", **changes}


class BodiesStream(VerifiedStream):
    """A stream of given bodies."""

    def __init__(self, bodies: list[bytes], end: dict[str, Any], snapshot: dict[str, Any]) -> None:
        super().__init__()
        self.snapshot, self._bodies, self._end = snapshot, bodies, end

    async def bodies(self) -> AsyncIterator[bytes]:
        """Yield the bodies, and verify the end."""
        for body in self._bodies:
            self._count(body, digest(body))
            yield body
        self._verify_end(self._end, len(self._bodies))


class StreamTests(SynchronousTestCase):
    """One pass over a list."""

    def read(self, stream: VerifiedStream, names: set[str] | None = None) -> list[Vulnerability]:
        """Read the stream to its end."""

        async def reading() -> list[Vulnerability]:
            return [each async for each in (stream if names is None else stream.naming(names))]

        return self.successResultOf(ensureDeferred(reading()))

    def refused(self, stream: VerifiedStream) -> str:
        """Read a stream that cannot be verified. Return the reason."""

        async def reading() -> None:
            async for _ in stream:
                pass

        message = str(self.failureResultOf(ensureDeferred(reading()), NotVerified).value)
        self.assertFalse(stream.complete)
        return message

    def test_whole(self) -> None:
        """All vulnerabilities are yielded in order and counted; the stream is not complete before its end."""
        stream = BodiesStream(BODIES, described(), described())
        self.assertFalse(stream.complete)
        self.assertEqual(self.read(stream), RECORDS)
        self.assertEqual((stream.complete, stream.served, stream.digest), (True, 4, described()["digest"]))

    def test_naming(self) -> None:
        """Only vulnerabilities that name a package are yielded; all are counted and verified."""
        stream = BodiesStream(BODIES, described(), described())
        self.assertEqual(self.read(stream, {"p1", "p3", "other"}), [RECORDS[1], RECORDS[3]])
        self.assertEqual((stream.complete, stream.served), (True, 4))

    def test_end(self) -> None:
        """Each value of both descriptions counts: a list that differs in one value is not verified."""
        for name, wrong in (("chunks", 3), ("vulnerabilities", 5), ("digest", "00"), ("revision", "r2")):
            said = self.refused(BodiesStream(BODIES, described(**{name: wrong}), described()))
            self.assertIn(f"{name} is {wrong}", said)
            missing = {key: value for key, value in described().items() if key != name}
            self.assertIn(f"{name} is None", self.refused(BodiesStream(BODIES, missing, described())))
            if name != "chunks":
                self.assertIn(name, self.refused(BodiesStream(BODIES, described(), described(**{name: wrong}))))

    def test_booleans(self) -> None:
        """A list of one chunk with one record is not verified by ``true``, which Python takes for 1."""
        body, whole = encode_line(RECORDS[0]), StreamDigest()
        whole.add(digest(body))
        one = {"chunks": 1, "vulnerabilities": 1, "digest": whole.hexdigest(), "revision": "r1"}
        self.assertEqual(self.read(BodiesStream([body], one, one)), RECORDS[:1])
        for name in ("chunks", "vulnerabilities"):
            self.assertIn(f"{name} is True", self.refused(BodiesStream([body], {**one, name: True}, one)))

    def test_cut_short(self) -> None:
        """A list with a missing chunk, in another order, or without chunks is not verified."""
        for bodies in (BODIES[:1], BODIES[::-1], [], [*BODIES, b""]):
            self.refused(BodiesStream(bodies, described(), described()))

    def test_malformed(self) -> None:
        """A record that is not a vulnerability is not verified, whatever the digest is."""
        self.assertIn("not JSON", self.refused(BodiesStream([b"?\n"], described(), described())))

    def test_errors(self) -> None:
        """A refusal has the server's error code; an unchanged list has the server's description."""
        self.assertEqual(
            (Refused("stopping", "m").code, str(Refused("stopping", "m"))), ("stopping", "the server refused: m")
        )
        self.assertEqual(Unchanged({"revision": "r1"}).snapshot, {"revision": "r1"})
