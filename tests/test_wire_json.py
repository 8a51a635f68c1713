"""Tests for :mod:`patches.wire`: JSON that is read in one way only."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from patches.vulnerability import Severity, Vulnerability
from patches.wire import MalformedJson, MalformedWire, decode_lines, encode_line, parse_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


class StrictTests(SynchronousTestCase):
    """JSON that has one meaning."""

    @settings(max_examples=100, deadline=None)
    @given(VALUES)
    def test_values(self, value: object) -> None:
        """Every value is read as it was written, with blanks around it."""
        for ascii_only in (True, False):
            written = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
            self.assertEqual(parse_json(b" \t\r\n" + written + b"\n"), value)

    def test_malformed(self) -> None:
        """Other encodings, constants that are no JSON, halves, and what is nested too deeply are refused."""
        text = '{"a": 1}'
        for data in (
            *(b"", b" ", b"{", b"{}{}", b"[1,]", b"{'a': 1}", b"nul", b"01", b"+1", b"\x00{}", b"// a\n1"),
            *(b"NaN", b"[Infinity]", b'{"a": -Infinity}'),
            *(text.encode(name) for name in ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32")),
            *(b'"\xff"', b'"\xed\xa0\x80"', b'"\xc0\x80"', b'"\n"'),
            *(b"[" * 100_000, b'{"a":' * 100_000, b"9" * 5_000),
        ):
            self.assertRaises(MalformedJson, parse_json, data)

    def test_twice(self) -> None:
        """A member that is there twice is refused, at any depth and however it is written; the message names it."""
        for data in (
            b'{"a": 1, "a": 1}',
            b'{"a": 1, "b": 2, "\\u0061": 3}',
            b'[[{"b": {"a": 1, "a": {}}}]]',
            b'{"b": [{"a": null, "c": 1, "a": null}]}',
        ):
            error = self.assertRaises(MalformedJson, parse_json, data)
            self.assertEqual(str(error), "the member 'a' is there twice")
        self.assertEqual(
            parse_json(b'{"a": {"a": 1}, "A": [{"a": 1}, {"a": 1}]}'), {"a": {"a": 1}, "A": [{"a": 1}] * 2}
        )

    def test_message(self) -> None:
        """The message is one line, whatever the name is."""
        error = self.assertRaises(MalformedJson, parse_json, b'{"\\n\\u001b": 1, "\\n\\u001b": 1}')
        self.assertTrue(str(error).isprintable())

    def test_records(self) -> None:
        """A record of a list with a member twice is malformed."""
        whole = encode_line(Vulnerability("CVE-2024-1", "debian-12", "", Severity.LOW))
        self.assertEqual([each.name for each in decode_lines(whole)], ["CVE-2024-1"])
        twice = whole.replace(b'{"name"', b'{"name":"CVE-2024-2","name"', 1)
        self.assertRaises(MalformedWire, list, decode_lines(twice))
