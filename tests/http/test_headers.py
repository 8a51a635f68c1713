"""Tests for :mod:`patches.http.headers`."""

from __future__ import annotations

import math

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.http_headers import Headers

from patches.http.headers import header_value, retry_after

NOW = 1_000_000.0
_NUMBERS = st.integers(0, 99) | st.integers(0, 10**20)
#: Texts that resemble dates, whatever their numbers, and any bytes.
DATES = st.builds(
    "{} {} {} {}:{}:{} {}{}".format,
    _NUMBERS,
    st.sampled_from(("Jan", "Feb", "Dec", "Foo")),
    _NUMBERS,
    *[_NUMBERS] * 3,
    st.sampled_from("+- "),
    _NUMBERS,
)
FIELDS = st.binary() | st.text().map(lambda text: text.encode("utf-8", "replace")) | DATES.map(str.encode)


class HeaderTests(SynchronousTestCase):
    """Parsing of header fields."""

    def test_one(self) -> None:
        """Of several values the last one is used; an empty one counts as missing."""
        for values, expected in (([], None), ([""], None), ([" "], None), ([" a "], "a"), (["a", "b"], "b")):
            self.assertEqual(header_value(Headers({"x": values}), "x"), expected)

    def test_retry_after(self) -> None:
        """Seconds are returned unchanged; a time is relative to the server's own time, and never negative."""
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

    @given(retry=FIELDS, date=FIELDS)
    @example(retry=b"1 Jan 2026 00:00:00 +99999999999999", date=b"")
    @example(retry=b"1 Jan 99999999999999 00:00:00 +0000", date=b"")
    @example(retry=b"Mon, 12 Jan 1970 13:47:40 GMT", date=b"1 Jan 2026 00:00:00 +99999999999999")
    @example(retry=b"\xff", date=b"\xff")
    def test_any_field(self, retry: bytes, date: bytes) -> None:
        """Whatever a server sends, the result is a finite number that is not negative, or ``None``."""
        found = retry_after(Headers({b"retry-after": [retry], b"date": [date]}), NOW)
        self.assertTrue(found is None or (math.isfinite(found) and found >= 0), found)
