"""Tests for :mod:`patches.scanner.inventory.dpkg_stanzas`."""

from __future__ import annotations

from io import BytesIO

from twisted.trial.unittest import SynchronousTestCase

from patches.scanner.inventory import InventoryError
from patches.scanner.inventory.dpkg_stanzas import HOLE, LONGEST_LINE, MOST_FIELDS, End, Stanza, StanzaReader


def read(content: bytes) -> list[Stanza]:
    """Read a file of stanzas."""
    return list(StanzaReader("f").stanzas(BytesIO(content)))


class StanzaTests(SynchronousTestCase):
    """Files of stanzas."""

    def test_values(self) -> None:
        """Only the values that are needed are kept, whole, without the blanks around their lines."""
        (stanza,) = read(b"PACKAGE :\t a \nX: 1\nStatus: install\n ok\n\tinstalled \nDescription: d\n e\n\n")
        expected = {b"package": b"a", b"x": b"", b"status": b"install\nok\ninstalled", b"description": b""}
        self.assertEqual((stanza.fields, stanza.problem), (expected, None))
        self.assertEqual((stanza.text(b"package"), stanza.text(b"version")), ("a", ""))

    def test_lines(self) -> None:
        """A stanza knows its first line, its last line, and the field of that."""
        first, second = read(b"\n\nPackage: a\nVersion: 1\n\nPackage: b\n")
        self.assertEqual((first.line, first.current, first.end), (3, b"version", End.EMPTY_LINE))
        self.assertEqual((second.line, second.last, second.end), (6, 6, End.FILE))

    def test_ends(self) -> None:
        """The end of the file within a line is told from an end behind it."""
        ends = [read(content)[-1].end for content in (b"a: b\n\n", b"a: b\r\n\r\n", b"a: b\n", b"a: b", b"a: b\n c")]
        self.assertEqual(ends, [End.EMPTY_LINE, End.EMPTY_LINE, End.FILE, End.MIDDLE, End.MIDDLE])
        self.assertEqual(read(b"\n \n\t\n"), [])

    def test_first_problem(self) -> None:
        """The first damage of a stanza is reported; the next stanza has none."""
        first, second = read(b"a: 1\nnoise\n more\na: 2\n\nb: 1\n")
        self.assertEqual((first.problem, second.problem), ("line 2: not a field", None))

    def test_long_value(self) -> None:
        """A value is kept up to a limit, however many lines it has."""
        (stanza,) = read(b"Source: a\n" + b" bc\n" * 3000)
        self.assertEqual(len(stanza.fields[b"source"]), 4096)

    def test_refused(self) -> None:
        """Lines without an end, holes and endless stanzas are errors, with their line."""
        fields = b"".join(b"f%d: 1\n" % number for number in range(MOST_FIELDS + 1))
        for content, words in (
            (b"a: " + b"x" * LONGEST_LINE, "f, line 1: the line is too long"),
            (b"a: b\nc: " + HOLE, "f, line 2: binary data"),
            (b"a\0: b\n", "f, line 1: binary data"),
            (fields, f"f, line {MOST_FIELDS + 1}: the stanza has too many fields"),
        ):
            self.assertEqual(str(self.assertRaises(InventoryError, read, content)), words)
        self.assertEqual(read(b"a: b\n\nc: " + HOLE[1:])[1].problem, None)
