"""Tests for :mod:`patches.reporter.json_stream`."""

from __future__ import annotations

import io
import json
import tracemalloc
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from patches.reporter.fields import MalformedReport
from patches.reporter.json_stream import LONGEST_ITEM, MOST_ITEMS, MOST_MEMBERS, ListItem, ObjectMember, parse_object

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


def parts(content: bytes, listed: str = "list") -> tuple[list[Any], dict[str, Any]]:
    """Return the items of the list, and the other members."""
    items: list[Any] = []
    members: dict[str, Any] = {}
    for part in parse_object(io.BytesIO(content), listed):
        if isinstance(part, ListItem):
            items.append(part.value)
        else:
            members[part.name] = part.value
    return items, members


class ParseTests(SynchronousTestCase):
    """Objects."""

    def refuse(self, *contents: bytes, words: str = "not JSON") -> None:
        """Check that each is refused in one line."""
        for content in contents:
            with self.assertRaises(MalformedReport) as caught:
                parts(content)
            self.assertIn(words, str(caught.exception), content[:60])

    @given(st.dictionaries(st.text(), VALUES), st.lists(VALUES), st.sampled_from((None, 1, "\t")), st.booleans())
    def test_as_json(self, members: dict[str, Any], items: list[Any], indent: Any, is_ascii: bool) -> None:
        """Any object is parsed as by the standard library, wherever the list is in it."""
        document = {**members, "list": items, "z": None}
        content = json.dumps(document, indent=indent, ensure_ascii=is_ascii).encode("utf-8", "surrogatepass")
        if b"\xed" in content:
            content = json.dumps(document, indent=indent).encode()
        self.assertEqual(parts(content), (items, {**members, "list": [], "z": None}))

    @given(st.binary(max_size=60))
    def test_anything(self, content: bytes) -> None:
        """Whatever the bytes are, the result is that of the standard library, or a refusal."""
        try:
            found = parts(content)
        except MalformedReport:
            return
        items, members = found
        expected = json.loads(content)
        self.assertEqual({**members, **({"list": items} if members.get("list") == [] else {})}, expected)

    def test_order(self) -> None:
        """Parts are yielded in their order; a list of another name is a value."""
        found = list(parse_object(io.BytesIO(b'{"a":[1],"list":[2,3],"b":4}'), "list"))
        expected = [
            ObjectMember("a", [1]),
            ListItem(0, 2),
            ListItem(1, 3),
            ObjectMember("list", []),
            ObjectMember("b", 4),
        ]
        self.assertEqual(found, expected)
        self.assertEqual(parts(b'{"list":7}'), ([], {"list": 7}))

    def test_not_json(self) -> None:
        """A document that is cut off, is not UTF-8, or has something behind it, is refused."""
        whole = b' {"a": 1.5e3, "list": [{"x": "\xc3\xa9"}, true], "b": null} '
        self.assertEqual(parts(whole)[0], [{"x": "é"}, True])
        for length in range(len(whole) - 1):
            self.refuse(whole[:length])
        self.refuse(whole + b"x", whole + whole, b'{"list":[1,]}', b'{"list":[,1]}', b'{"a":1,}', b'{"a" 1}', b"{1:2}")
        self.refuse(b'{"list":[1 2]}', b"\xff", b'{"a":"\xff"}', b'{"list":["\xed\xa0\x80"]}', b'{"list":[1}')
        self.refuse(b'{"a":NaN}', b'{"list":[Infinity]}', b'{"a":-Infinity}', b'{"a":' + b"9" * 5000 + b"}")
        self.refuse(b"[]", b"7", b"null", words="must be a JSON object")

    def test_limits(self) -> None:
        """Depth, the length of a value, and the numbers of members and items are limited."""
        self.refuse(b'{"list":[' + b"[" * 100_000, b'{"a":' * 100_000, b'{"a":' + b'{"b":' * 10_000)
        self.refuse(b'{"list":["' + b"x" * (LONGEST_ITEM + 1) + b'"]}', words="longer than")
        self.refuse(b'{"list":["' + b"x" * 1_000_000, words="longer than")
        self.refuse(b'{"' + b"x" * 1_000_000 + b'":1}', words="longer than")
        self.refuse(json.dumps({str(n): n for n in range(MOST_MEMBERS + 1)}).encode(), words="members")
        self.refuse(b'{"list":[' + b"0," * MOST_ITEMS + b"0]}", words="entries")
        self.refuse(b'{"a":1,"a":2}', b'{"list":[],"list":[]}', words="twice")
        self.refuse(b'{"a":{"b":1,"b":2}}', b'{"list":[{"b":1,"c":[{"d":1,"d":1}]}]}', words="twice")
        self.refuse(*('{"a":1}'.encode(name) for name in ("utf-8-sig", "utf-16", "utf-16-le", "utf-32")))

    def test_memory(self) -> None:
        """Memory does not grow with the list."""

        def peak(count: int) -> int:
            content = io.BytesIO(b'{"list":[' + b'{"a":[{},{},{}]},' * count + b"0]}")
            tracemalloc.start()
            try:
                self.assertEqual(sum(isinstance(each, ListItem) for each in parse_object(content, "list")), count + 1)
                return tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()

        few, many = peak(10_000), peak(40_000)
        self.assertLess(many, 1.2 * few)
