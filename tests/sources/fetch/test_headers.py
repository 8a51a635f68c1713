"""Tests for :mod:`patches.sources.fetch.headers`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from twisted.web.http_headers import Headers

from patches.sources.fetch.headers import ContentRange, strong_validator


class HeaderTests(SynchronousTestCase):
    """Parsing of header fields."""

    def test_range(self) -> None:
        """A range within a length is parsed; one that is impossible, or without a length, is not."""
        for text, expected in (
            ("bytes 0-0/1", ContentRange(0, 0, 1)),
            ("Bytes  5-9/10", ContentRange(5, 9, 10)),
            ("bytes 5-10/10", None),
            ("bytes 6-5/10", None),
            ("bytes 0-9/*", None),
            ("bytes */10", None),
            ("items 0-9/10", None),
            ("bytes -1-9/10", None),
            ("bytes 0-9/10 ", ContentRange(0, 9, 10)),
        ):
            self.assertEqual(ContentRange.from_headers(Headers({"content-range": [text]})), expected, text)
        self.assertIsNone(ContentRange.from_headers(Headers()))

    def test_strong(self) -> None:
        """A strong validator is quoted, and not marked as weak."""
        for etag, expected in (
            ('"a"', True),
            ('""', True),
            ('W/"a"', False),
            ("a", False),
            ('"a', False),
            ('"a"b"', False),
            ('"a b"', False),
            ("", False),
            (None, False),
        ):
            self.assertEqual(strong_validator(etag), etag if expected else None, etag)
