"""Tests for :mod:`patches.scanner.json_pieces`."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.json_pieces import LazyList, LazyObject, json_pieces, lazy_list
from patches.wire import encode_json, escape_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=9,
)


class PiecesTests(SynchronousTestCase):
    """Documents in pieces."""

    @given(st.lists(VALUES), VALUES)
    def test_same(self, items: list[Any], other: Any) -> None:
        """The text is that of the standard library for the whole document, but that all of it can be printed."""
        document = {"items": lazy_list(lambda item: item, items), "other": other, "more": [lazy_list(str, items)]}
        whole = {"items": items, "other": other, "more": [[str(item) for item in items]]}
        self.assertEqual("".join(json_pieces(document)), escape_json(json.dumps(whole, indent=2)))
        compact = "".join(json_pieces(document, compact=True)).encode("utf-8")
        self.assertEqual(compact, encode_json(whole))

    @given(st.dictionaries(st.text(), VALUES, min_size=1))
    def test_object(self, members: dict[str, Any]) -> None:
        """An object whose members exist only while they are encoded has the same text."""
        text = "".join(json_pieces({"members": LazyObject(lambda: iter(members.items()))}))
        self.assertEqual(text, escape_json(json.dumps({"members": members}, indent=2)))

    def test_counted(self) -> None:
        """A list of items that can be counted has their number."""
        self.assertEqual(len(lazy_list(str, (1, 2, 3))), 3)

    def test_lazy(self) -> None:
        """An item is converted when its piece is requested, and pieces are of similar sizes."""
        converted: list[int] = []

        def convert(item: int) -> str:
            converted.append(item)
            return "x" * 1000

        pieces = json_pieces(lazy_list(convert, range(1000)))
        next(pieces)
        self.assertLess(len(converted), 80)
        self.assertLess(max(map(len, pieces)), 70_000)
        self.assertEqual(len(converted), 1000)

    def test_never_lost(self) -> None:
        """Encoded in any other way, a lazy list is the same."""
        self.assertEqual(json.dumps({"items": lazy_list(str, [1, 2])}), '{"items": ["1", "2"]}')
        self.assertIsInstance(lazy_list(str, [1]), LazyList)
        self.assertEqual(lazy_list(str, []), [])
