"""Tests for :mod:`patches.service.terminal`."""

from __future__ import annotations

import io

from rich.console import Console
from twisted.trial.unittest import SynchronousTestCase

from patches.service.terminal import TextTable, counted


class TextTableTests(SynchronousTestCase):
    """Tables of plain texts."""

    def text(self, table: TextTable, width: int) -> str:
        """Return the output of a terminal of a given width."""
        console = Console(file=io.StringIO(), width=width, force_terminal=False)
        console.print(table)
        return console.file.getvalue()  # type: ignore[attr-defined]

    def test_markup(self) -> None:
        """rich's markup is printed as it is."""
        table = TextTable("Name", "Value")
        table.add_texts("[bold]a[/bold]", "[/]")
        text = self.text(table, 80)
        self.assertIn("[bold]a[/bold]", text)
        self.assertIn("[/]", text)

    def test_nothing_cut_off(self) -> None:
        """A text that is too long for its column is folded, without losing a character."""
        table = TextTable("Name", "Value")
        table.add_texts("x" * 100, "y" * 50)
        text = self.text(table, 40)
        self.assertEqual((text.count("x"), text.count("y")), (100, 50))
        self.assertNotIn("…", text)


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
