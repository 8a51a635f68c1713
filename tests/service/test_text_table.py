"""Tests for :mod:`patches.service.text_table`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.service.text_table import TextTable
from tests.control_characters import HARMFUL


def lines(table: TextTable, width: int | None = None) -> list[str]:
    """Return the texts of a table's lines."""
    return [text for text, _ in table.lines(width)]


class TextTableTests(SynchronousTestCase):
    """Tables of plain texts."""

    def setUp(self) -> None:
        self.table = TextTable("Name", "Number", "Link", numbers=("Number",), optional=("Link",))
        self.table.add_texts("openssl", "7", "https://host/1")
        self.table.add_texts("a", "12345", "", style="dim")

    def test_aligned(self) -> None:
        """Columns are aligned, numbers to the right; no line has blanks at its end; there is no frame."""
        expected = ["Name     Number  Link", "openssl       7  https://host/1", "a         12345"]
        self.assertEqual(lines(self.table), expected)
        self.assertEqual([style for _, style in self.table.lines()], ["bold", "", "dim"])
        self.assertEqual(self.table.row_count, 2)

    def test_optional(self) -> None:
        """A terminal that is too narrow for all columns has no optional ones."""
        self.assertEqual(lines(self.table, 31), lines(self.table))
        self.assertEqual(lines(self.table, 30), ["Name     Number", "openssl       7", "a         12345"])

    def test_flowing(self) -> None:
        """A row that is still too wide goes on in the next line between two cells, and loses nothing."""
        table = TextTable("Name", "Installed", "Fixed in")
        cells = ("x" * 12, "y" * 12, "z" * 50)
        table.add_texts(*cells)
        for width in (20, 30, 40):
            shown = lines(table, width)
            self.assertTrue(all(len(line) <= width or line.split() == ["z" * 50] for line in shown), shown)
            self.assertEqual([word for line in shown for word in line.split()][-3:], list(cells))

    def test_made_rows(self) -> None:
        """Rows may be made anew whenever they are needed, so that they are never in memory together."""
        table = TextTable("Name", rows=lambda: (((str(number),), "") for number in range(3)))
        self.assertEqual(lines(table), ["Name", "0", "1", "2"])
        self.assertEqual(lines(table), ["Name", "0", "1", "2"])

    def test_control_characters(self) -> None:
        """Characters that cannot be shown are escaped, at every width."""
        table = TextTable("Name", "Value")
        for text in HARMFUL:
            table.add_texts(f"x{text}", "[bold]a[/]")
        for width in (None, 10):
            self.assertTrue(all(line.isprintable() for line in lines(table, width)))
