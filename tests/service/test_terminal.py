"""Tests for :mod:`patches.service.terminal`."""

from __future__ import annotations

import io

from rich.console import Console
from twisted.trial.unittest import SynchronousTestCase

from patches.service.terminal import TextTable, plain, terminal
from tests.control_characters import HARMFUL


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

    def test_control_characters(self) -> None:
        """Characters that a terminal would obey are escaped, and a name of a picture is no picture."""
        table = TextTable("Name")
        for text in HARMFUL:
            table.add_texts(f"x{text} :bomb:")
        text = self.text(table, 200)
        self.assertEqual({char for char in text if not char.isprintable()}, {"\n"})
        file = io.StringIO()
        for harmful in HARMFUL:
            terminal(file, 200).print(f"[bold]{plain(harmful)}[/] :bomb:")
        self.assertEqual({char for char in file.getvalue() if not char.isprintable()}, {"\n"})
        self.assertEqual(file.getvalue().count(":bomb:"), len(HARMFUL) + 1)

    def test_nothing_cut_off(self) -> None:
        """A text that is too long for its column is folded, without losing a character."""
        table = TextTable("Name", "Value")
        table.add_texts("x" * 100, "y" * 50)
        text = self.text(table, 40)
        self.assertEqual((text.count("x"), text.count("y")), (100, 50))
        self.assertNotIn("…", text)
