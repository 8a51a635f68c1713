"""Tables for a terminal, in the one form that all commands print."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table


class TextTable(Table):
    """A table of plain texts; a text that is too long for its column is folded, never cut off."""

    def __init__(self, *columns: str) -> None:
        super().__init__(header_style="bold")
        for column in columns:
            self.add_column(column, overflow="fold")

    def add_texts(self, *cells: str, style: str = "") -> None:
        """Add a row; rich's markup in a text is printed as it is."""
        self.add_row(*map(escape, cells), style=style)
