"""Where ``patches scan`` speaks: the document on standard output or in a file, everything else on standard error."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from attrs import frozen
from rich.console import Console
from rich.markup import escape

from patches.scanner.client.verified_stream import VerifiedStream
from patches.scanner.outcome import Outcome
from patches.scanner.output.formats import DOCUMENTS, TABLE
from patches.scanner.output.table import findings_table, summary
from patches.storage.atomic_file import Unwritable, WholeFile

#: Of a table in a file, in columns.
_FILE_WIDTH = 160


@frozen
class Screen:
    """
    What is said, and where.

    :ivar form: the name of a format.
    :ivar file: ``None``: standard output.
    :ivar verbose: whether the table names packages.
    :ivar quiet: whether there is nothing but the document.
    """

    form: str = TABLE
    file: WholeFile | None = None
    verbose: bool = False
    quiet: bool = False

    @classmethod
    def of(cls, values: Mapping[str, Any], file: WholeFile | None) -> Screen:
        """Take what the options say."""
        return cls(values["format"], file, values["verbose"], values["quiet"])

    def show(self, outcome: Outcome) -> None:
        """
        Give the document.

        :raises Unwritable: if it cannot be written.
        """
        if self.file is not None:
            self.file.put(self._text(outcome))
            return
        try:
            if self.form == TABLE:
                _print_table(Console(), outcome, self.verbose)
            else:
                sys.stdout.write(self._text(outcome))
                sys.stdout.flush()
        except OSError as error:
            raise Unwritable(f"standard output: {error.strerror}") from error

    def _text(self, outcome: Outcome) -> str:
        if self.form != TABLE:
            return DOCUMENTS[self.form](outcome) + "\n"
        text = io.StringIO()
        _print_table(Console(file=text, width=_FILE_WIDTH, no_color=True), outcome, self.verbose)
        return text.getvalue()

    def note(self, text: str) -> None:
        """Say what is no part of the document, in a line."""
        if not self.quiet:
            print(text, file=sys.stderr)

    def show_error(self, text: str) -> None:
        """Say what went wrong, in a line."""
        print(f"Error: {text}", file=sys.stderr)

    @contextmanager
    def progress(self, what: str) -> Iterator[Callable[[VerifiedStream], None]]:
        """Show how far a scan is, on a terminal; give what is to be told of it."""
        console = Console(stderr=True)
        if self.quiet or not console.is_terminal:
            yield lambda stream: None
            return
        with console.status(escape(what)) as status:
            yield lambda stream: status.update(_how_far(stream))


def _how_far(stream: VerifiedStream) -> str:
    return f"{stream.served} of {stream.snapshot.get('vulnerabilities', '?')} vulnerabilities compared"


def _print_table(console: Console, outcome: Outcome, verbose: bool) -> None:
    if outcome.shown:
        console.print(findings_table(outcome.shown, console.width))
    console.print(summary(outcome, verbose))
