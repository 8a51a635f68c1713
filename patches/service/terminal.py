"""Output to a terminal, in the one form that all commands print: tables, and texts in which nothing is obeyed."""

from __future__ import annotations

from typing import IO

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from patches.wording import printable


def plain(text: object) -> str:
    """
    Return a text for rich that is printed as it is: its markup is not interpreted, and what cannot be shown is escaped.
    """
    return escape(printable(str(text)))


def terminal(file: IO[str] | None = None, width: int | None = None, *, stderr: bool = False) -> Console:
    """
    Create a terminal, in which ``:bomb:`` is no picture.

    :param file: where to write, without colours; ``None``: standard output.
    :param width: in columns; ``None``: that of the terminal.
    :param stderr: whether to write to standard error.
    """
    return Console(file=file, width=width, stderr=stderr, no_color=True if file is not None else None, emoji=False)


class TextTable(Table):
    """A table of plain texts; a text that is too long for its column is folded, never cut off."""

    def __init__(self, *columns: str) -> None:
        super().__init__(header_style="bold")
        for column in columns:
            self.add_column(column, overflow="fold")

    def add_texts(self, *cells: str, style: str = "") -> None:
        """Add a row; rich's markup in a text is printed as it is, and what cannot be shown is escaped."""
        self.add_row(*map(plain, cells), style=style)
