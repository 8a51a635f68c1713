"""Tests for :mod:`patches.sources.fetch.headers`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from twisted.web.http_headers import Headers

from patches.sources.fetch.headers import ContentRange, one, retry_after, strong

NOW = 1_000_000.0


class HeaderTests(SynchronousTestCase):
    """What headers say."""

    def test_range(self) -> None:
        """A range within a length is read; one that is impossible, or without a length, is not."""
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

    def test_one(self) -> None:
        """Of several values the last counts; an empty one is none."""
        for values, expected in (([], None), ([""], None), ([" "], None), ([" a "], "a"), (["a", "b"], "b")):
            self.assertEqual(one(Headers({"x": values}), "x"), expected)

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
            self.assertEqual(strong(etag), etag if expected else None, etag)

    def test_retry_after(self) -> None:
        """Seconds are taken as they are; a time counts from the server's own, and is never before now."""
        day = "Mon, 12 Jan 1970 13:4{}:40 GMT"
        for text, date, expected in (
            ("0", None, 0.0),
            ("120", None, 120.0),
            (day.format(6), None, 0.0),
            (day.format(7), None, 60.0),
            (day.format(7), day.format(5), 120.0),
            (day.format(5), None, 0.0),
            ("-1", None, None),
            ("1.5", None, None),
            ("soon", None, None),
            ("1234567890", None, None),
            ("", None, None),
        ):
            headers = Headers({"retry-after": [text]})
            if date is not None:
                headers.setRawHeaders("date", [date])
            self.assertEqual(retry_after(headers, NOW), expected, (text, date))
