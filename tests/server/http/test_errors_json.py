"""Tests for :mod:`patches.server.http.errors`: reading JSON requests and building JSON responses."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from twisted.web.test.requesthelper import DummyRequest

from patches.server.http.errors import ApiError, accepts_gzip, json_object, json_response


class JsonTests(SynchronousTestCase):
    """Reading requests and building responses."""

    def setUp(self) -> None:
        self.request: Any = DummyRequest([])

    def test_answer(self) -> None:
        """A document becomes a body with its type and its length in bytes; the status is set only if it is passed."""
        self.assertEqual(json_response(self.request, {"a": "ä"}, 201), '{"a":"ä"}'.encode())
        headers = self.request.responseHeaders
        self.assertEqual(headers.getRawHeaders("content-type"), ["application/json"])
        self.assertEqual(headers.getRawHeaders("content-length"), ["10"])
        json_response(self.request, {})
        self.assertEqual(self.request.responseCode, 201)

    def test_object(self) -> None:
        """A body that is a JSON object is parsed."""
        self.request.content = BytesIO(b' {"a": [1]} ')
        self.assertEqual(json_object(self.request), {"a": [1]})

    def test_no_object(self) -> None:
        """A body that is not a JSON object is malformed."""
        for body in (b"", b"[]", b"1", b"{", b"\xff", b"[" * 5000):
            self.request.content = BytesIO(body)
            self.assertEqual(self.assertRaises(ApiError, json_object, self.request).code, "malformed")

    def test_gzip(self) -> None:
        """Gzip is accepted if the header names or covers it and does not exclude it."""
        accepted = ("gzip", "GZIP", "br, gzip;q=0.1", "*", "*;q=0, gzip", "gzip ; q=1", "br;q=0, *")
        refused = ("", "br", "gzip;q=0", "gzip; q=0.000", "*;q=0", "gzip;q=0, *", "identity")
        for value in (*accepted, *refused):
            self.request.requestHeaders.setRawHeaders("Accept-Encoding", [value])
            self.assertEqual((value, accepts_gzip(self.request)), (value, value in accepted))
