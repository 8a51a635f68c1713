"""Checksums of each algorithm, in each header; and which failures of a request are final."""

from __future__ import annotations

import base64
import hashlib

from twisted.internet.defer import CancelledError
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import ResponseFailed
from twisted.web.http_headers import Headers

from patches.errors import SourceError
from patches.http.access.tunnels import TunnelRefused
from patches.sources.fetch.checksums import Checksum, parse_checksums
from patches.sources.fetch.retry import RequestTimedOut, TransientFailure, raise_failure
from tests.sources.download_case import DownloadCase, whole
from tests.sources.memory_web import told

BODY = b"body"


def packed(algorithm: str, drop: int = 0, more: bytes = b"") -> str:
    """Encode a checksum, shorter or longer than it should be."""
    digest = hashlib.new(algorithm, BODY).digest()
    return base64.b64encode(digest[: len(digest) - drop] + more).decode()


class AlgorithmTests(SynchronousTestCase):
    """The parsing of a header."""

    def test_each(self) -> None:
        """MD5, SHA-256 and SHA-512 are parsed, in both forms; a checksum of a wrong length is not."""
        for name, algorithm in (("md5", "md5"), ("sha-256", "sha256"), ("SHA-512", "sha512")):
            for header, text in (("repr-digest", "{}=:{}:"), ("content-digest", "{}=:{}:"), ("digest", "{}={}")):
                headers = Headers({header: [text.format(name, packed(algorithm))]})
                self.assertEqual(
                    parse_checksums(headers), (Checksum(algorithm, hashlib.new(algorithm, BODY).hexdigest()),)
                )
                for wrong in (packed(algorithm, drop=1), packed(algorithm, more=b"x")):
                    self.assertEqual(parse_checksums(Headers({header: [text.format(name, wrong)]})), ())

    def test_other(self) -> None:
        """Other algorithms, and text that is not base64, are ignored; the rest of the line is parsed."""
        line = f"crc32c=AAAA, sha=AAAA, md5=:===:, sha-256=:{packed('sha256')}:"
        self.assertEqual([each.algorithm for each in parse_checksums(Headers({"repr-digest": [line]}))], ["sha256"])

    def test_google(self) -> None:
        """The checksum of Google's storage is that of the stored bytes, which may differ from the sent ones."""
        for stored, sent, expected in (
            (None, None, 1),
            ("identity", None, 1),
            ("gzip", None, 0),
            ("GZIP", "gzip", 1),
            ("gzip", "br, gzip", 1),
            ("gzip", "br", 0),
        ):
            headers = Headers({"x-goog-hash": [f"md5={packed('md5')}"]})
            for name, value in (("x-goog-stored-content-encoding", stored), ("content-encoding", sent)):
                if value is not None:
                    headers.setRawHeaders(name, [value])
            self.assertEqual(len(parse_checksums(headers)), expected, (stored, sent))


class FailureTests(SynchronousTestCase):
    """The failures of a request."""

    def test_proxy(self) -> None:
        """A proxy that refuses is final; one that is busy, has an error, or does not speak HTTP is transient."""
        for status, expected in (
            (403, SourceError),
            (407, SourceError),
            (499, SourceError),
            (429, TransientFailure),
            (500, TransientFailure),
            (502, TransientFailure),
            (None, TransientFailure),
        ):
            error = self.assertRaises(expected, raise_failure, TunnelRefused("the proxy answered so", status), "")
            self.assertEqual(str(error), "the proxy answered so")

    def test_others(self) -> None:
        """A time-out is transient; so is a connection that somebody else has cancelled."""
        for error in (RequestTimedOut(60.0), ResponseFailed([Failure(CancelledError())])):
            self.assertRaises(TransientFailure, raise_failure, error, "http://feeds.test/a")


class WaitTests(DownloadCase):
    """Servers that ask for a pause."""

    def test_longest(self) -> None:
        """The longest pause that a server may ask for is accepted; one more second is not."""
        self.assertHad(self.fetch(told(429, Retry_After="120"), whole()))
        self.assertIn("asks for a pause of 121 s", self.refused(told(429, Retry_After="121")))
