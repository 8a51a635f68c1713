"""Tests for :mod:`patches.wording`."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from patches.wording import NO_FOLDER, counted, file_problem, one_line, printable


class FileProblemTests(SynchronousTestCase):
    """The errors of files."""

    def test_missing(self) -> None:
        """A missing file has the same words everywhere; where a file is created, its folder is missing."""
        error = self.assertRaises(FileNotFoundError, Path("absent").read_bytes)
        self.assertEqual(file_problem(error), "there is no such file")
        self.assertEqual(file_problem(error, NO_FOLDER), "there is no such folder")

    def test_others(self) -> None:
        """Another error has the words of the system, or its own text without them."""
        self.assertEqual(file_problem(self.assertRaises(OSError, Path(".").read_bytes)), "Is a directory")
        self.assertEqual(file_problem(PermissionError(13, "Permission denied", "x"), NO_FOLDER), "Permission denied")
        self.assertEqual(file_problem(OSError("odd")), "odd")


class PrintableTests(SynchronousTestCase):
    """Texts that are shown."""

    def test_escapes(self) -> None:
        """A character that cannot be shown is a visible escape; others stay."""
        self.assertEqual(printable("a\x1b[2J\n\x9b\x7f\u202e\u200b\u2028\ud800\U000e0041"),
                         r"a\x1b[2J\n\x9b\x7f\u202e\u200b\u2028\ud800\U000e0041")  # fmt: skip
        self.assertEqual(printable("é ü 漢 😀 \\x1b"), "é ü 漢 😀 \\x1b")

    @given(st.text(st.characters(blacklist_categories=())))
    def test_any(self, text: str) -> None:
        """No text has anything that a terminal obeys, and every one is UTF-8."""
        shown = printable(text)
        self.assertTrue(shown.isprintable())
        self.assertEqual(printable(shown), shown)
        shown.encode("utf-8")
        kinds = {unicodedata.category(char) for char in shown}
        self.assertFalse(kinds & {"Cc", "Cf", "Cs", "Zl", "Zp"})


class CountedTests(SynchronousTestCase):
    """Numbers with their nouns."""

    def test_one(self) -> None:
        """Only 1 has the singular."""
        self.assertEqual([counted(n, "list") for n in (0, 1, 2, 11)], ["0 lists", "1 list", "2 lists", "11 lists"])

    def test_ending(self) -> None:
        """A noun that ends with a consonant and y gets another ending."""
        self.assertEqual([counted(n, "entry") for n in (1, 2)], ["1 entry", "2 entries"])
        self.assertEqual(counted(2, "day"), "2 days")

    def test_irregular(self) -> None:
        """A plural that is not regular is passed."""
        self.assertEqual([counted(n, "index", "indices") for n in (1, 2)], ["1 index", "2 indices"])


class OneLineTests(SynchronousTestCase):
    """Errors that nobody expected."""

    def test_lines(self) -> None:
        """An error is one line that can be printed, of bounded length."""
        self.assertEqual(one_line(ValueError("a\x1bb\nc")), "ValueError: a\\x1bb")
        self.assertEqual(one_line(ValueError()), "ValueError")
        self.assertEqual(one_line(MemoryError()), "there is not enough memory")
        self.assertLess(len(one_line(ValueError("x" * 9999))), 400)
