"""Tables for a terminal: the one form in which all commands print them."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table


class TextTable(Table):
    """A table of plain texts; nothing is cut off: what is too long for its column is folded."""

    def __init__(self, *columns: str) -> None:
        super().__init__(header_style="bold")
        for column in columns:
            self.add_column(column, overflow="fold")

    def add_texts(self, *cells: str, style: str = "") -> None:
        """Add a row; what rich would take for markup is shown as it is."""
        self.add_row(*map(escape, cells), style=style)
