"""Tests for :mod:`patches.service.terminal`."""

from __future__ import annotations

import io

from twisted.trial.unittest import SynchronousTestCase

from patches.service.terminal import Terminal, plain, terminal
from patches.service.text_table import TextTable
from tests.control_characters import HARMFUL


class TerminalTests(SynchronousTestCase):
    """Texts and tables in a terminal or a file."""

    def test_control_characters(self) -> None:
        """Characters that a terminal would obey are escaped, and a name of a picture is no picture."""
        file = io.StringIO()
        for harmful in HARMFUL:
            terminal(file, 200).print(f"[bold]{plain(harmful)}[/] :bomb:")
        self.assertEqual({char for char in file.getvalue() if not char.isprintable()}, {"\n"})
        self.assertEqual(file.getvalue().count(":bomb:"), len(HARMFUL) + 1)

    def test_file(self) -> None:
        """In a file a line is as long as its text, and rich's markup in a table is printed as it is."""
        file = io.StringIO()
        table = TextTable("Name", "Value")
        table.add_texts("[bold]a[/bold]", "x" * 300)
        terminal(file, 40).print_table(table)
        terminal(file, 40).print("word " * 40)
        heading, row, text = file.getvalue().splitlines()
        self.assertEqual((heading, row), ("Name            Value", f"[bold]a[/bold]  {'x' * 300}"))
        self.assertEqual(text.count("word"), 40)

    def test_terminal(self) -> None:
        """In a terminal a table has its styles and fits the width; no word has a colour of its own."""
        file = io.StringIO()
        console = Terminal(file=file, width=30, force_terminal=True, highlight=False, color_system="standard")
        table = TextTable("Name", "Value")
        table.add_texts("openssl", "3.0.16-1~deb12u1", style="red")
        console.print_table(table)
        console.print("Version 3.0.16 of 'x'")
        self.assertIn("\x1b[31mopenssl  3.0.16-1~deb12u1\x1b[0m", file.getvalue())
        self.assertTrue(file.getvalue().endswith("Version 3.0.16 of 'x'\n"))
