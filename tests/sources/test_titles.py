"""Tests for :mod:`patches.sources.titles`."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from patches.sources.titles import LONGEST_TITLE, title_of


class TitleTests(SynchronousTestCase):
    """The first sentence of what a source says."""

    def test_sentences(self) -> None:
        """A title ends with the sentence; a version, a name of a file and an abbreviation do not end one."""
        for text, expected in (
            ("tool 4.1.1 lets users write /tmp/adb.log. Another one.", "tool 4.1.1 lets users write /tmp/adb.log"),
            ("A flaw in libfoo, e.g. when it reads. More.", "A flaw in libfoo, e.g. when it reads"),
            ("libfoo - security update", "libfoo - security update"),
            ("Two\nlines\tof   one sentence.\n\nA paragraph", "Two lines of one sentence"),
            ("Without an end\n\nA paragraph.", "Without an end"),
            ("Is it? Yes.", "Is it"),
            ("colour \x1b[31m", "colour \\x1b[31m"),
        ):
            self.assertEqual(title_of(text), expected)

    def test_first(self) -> None:
        """The first text that says anything is taken; what is no text says nothing."""
        self.assertEqual(title_of(None, "", " . ", 7, ["a"], "A title.", "Another"), "A title")
        for texts in ((), (None,), ("",), ("\n\n",), ({},)):
            self.assertIsNone(title_of(*texts))

    def test_long(self) -> None:
        """A long sentence is cut after a whole word, and says so; a word that is too long is cut, too."""
        found = title_of("word, " * 100)
        assert found is not None
        self.assertTrue(found.endswith("word, word…"), found)
        self.assertTrue(LONGEST_TITLE - 6 <= len(found) <= LONGEST_TITLE, len(found))
        self.assertEqual(len(title_of("x" * 5000) or ""), LONGEST_TITLE)

    @given(st.text())
    def test_any(self, text: str) -> None:
        """A title is printable, in one line, without blanks around it, and short."""
        found = title_of(text)
        if found is not None:
            self.assertTrue(found.isprintable() and found == found.strip() and 0 < len(found) <= LONGEST_TITLE, found)
