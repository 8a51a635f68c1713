"""Output to a terminal, in the one form that all commands print: tables, and texts in which nothing is obeyed."""

from __future__ import annotations

from typing import IO, Any

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from patches.service.text_table import TextTable
from patches.wording import printable


def plain(text: object) -> str:
    """
    Return a text for rich that is printed as it is: its markup is not interpreted, and what cannot be shown is escaped.
    """
    return escape(printable(str(text)))


class Terminal(Console):
    """A terminal; in a file or a pipe a text keeps its lines, whatever their width."""

    def print(self, *objects: Any, **options: Any) -> None:
        """Print texts, with rich markup."""
        super().print(*objects, **{"soft_wrap": not self.is_terminal, **options})

    def print_table(self, table: TextTable) -> None:
        """Print a table; in a terminal it fits the width unless a single cell is wider."""
        if not self.is_terminal:
            self.file.writelines(f"{text}\n" for text, _ in table.lines())
            return
        for text, style in table.lines(self.width):
            self.print(Text(text, style), soft_wrap=True)


def terminal(file: IO[str] | None = None, width: int | None = None, *, stderr: bool = False) -> Terminal:
    """
    Create a terminal, in which ``:bomb:`` is no picture and no word is coloured by itself.

    :param file: where to write, without colours; ``None``: standard output.
    :param width: in columns; ``None``: that of the terminal.
    :param stderr: whether to write to standard error.
    """
    no_color = True if file is not None else None
    return Terminal(file=file, width=width, stderr=stderr, no_color=no_color, emoji=False, highlight=False)
