"""Tests for :mod:`patches.scanner.matching.vex.json_document`."""

from __future__ import annotations

from msgspec import Struct
from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.matching.vex.json_document import CSAF, CYCLONEDX, OPENVEX, decode, format_of
from patches.scanner.matching.vex.statements import BadVex


class _Kept(Struct):
    number: int


class JsonDocumentTests(SynchronousTestCase):
    """Documents of several formats."""

    def test_formats(self) -> None:
        """A format is known by a member that the others do not have, whatever its value is."""
        for content, form in {
            b' {"@context": "https://openvex.dev/ns"}': OPENVEX,
            b'{"x": [{}], "bomFormat": null}': CYCLONEDX,
            b'{"document": {"category": "csaf_vex"}}': CSAF,
        }.items():
            self.assertEqual(format_of(content), form)
        for content in (b"{}", b'{"context": 1}', b"[]", b"7"):
            self.assertRaises(BadVex, format_of, content)

    def test_decoded(self) -> None:
        """Members that are not known are passed over; a wrong type is named with its place."""
        self.assertEqual(decode(b'{"other": {"a": [1]}, "number": 7}', _Kept).number, 7)
        self.assertIn("- at `$.number`", str(self.assertRaises(BadVex, decode, b'{"number": "7"}', _Kept)))

    def test_not_json(self) -> None:
        """Content that is no JSON, no UTF-8, or nested very deep, is refused."""
        deep = b"[" * 100_000
        for content in (b"", b"{", b'{"number": 7}x', b'{"\xff": 1}', deep, b'{"x": ' + deep):
            said = str(self.assertRaises(BadVex, decode, content, _Kept))
            self.assertNotIn("\n", said)
            self.assertLess(len(said), 200)
