"""Tables and counts for a terminal, in the one form that all commands print."""

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


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """
    Return a number with its noun, in the plural unless the number is 1: ``1 entry``, ``2 entries``, ``0 lists``.

    :param noun: in the singular.
    :param plural: ``None``: the regular one.
    """
    if number == 1:
        return f"1 {noun}"
    if plural is None:
        ends_with_y = noun.endswith("y") and noun[-2:-1] not in "aeiou"
        plural = f"{noun[:-1]}ies" if ends_with_y else f"{noun}s"
    return f"{number} {plural}"
