"""The terminal of ``patches scan``: the document goes to standard output or a file, all else to standard error."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from attrs import frozen
from rich.console import Console

from patches.scanner.client.verified_stream import VerifiedStream
from patches.scanner.outcome import Outcome
from patches.scanner.output.formats import TABLE, WRITERS
from patches.scanner.output.table import findings_table, summary
from patches.service.terminal import plain, terminal
from patches.storage.atomic_file import Unwritable, WholeFile
from patches.wording import printable

#: The width of a table in a file, in columns.
_FILE_WIDTH = 160


@frozen
class Screen:
    """
    The output of one scan: its format and its destination.

    :ivar form: the name of the format.
    :ivar file: the file to write; ``None`` for standard output.
    :ivar verbose: whether the summary names the packages.
    :ivar quiet: whether progress and notes are suppressed.
    """

    form: str = TABLE
    file: WholeFile | None = None
    verbose: bool = False
    quiet: bool = False

    def show(self, outcome: Outcome) -> None:
        """
        Write the document of an outcome.

        :raises Unwritable: if the document cannot be written.
        """
        if self.file is not None:
            self.file.put(self._text(outcome))
            return
        try:
            if self.form == TABLE:
                _print_table(terminal(), outcome, self.verbose)
            else:
                sys.stdout.write(self._text(outcome))
                sys.stdout.flush()
        except OSError as error:
            raise Unwritable(f"standard output: {error.strerror}") from error

    def _text(self, outcome: Outcome) -> str:
        if self.form != TABLE:
            return WRITERS[self.form](outcome) + "\n"
        text = io.StringIO()
        _print_table(terminal(text, _FILE_WIDTH), outcome, self.verbose)
        return text.getvalue()

    def note(self, text: str) -> None:
        """Print a line that is not part of the document to standard error, unless the screen is quiet."""
        if not self.quiet:
            print(printable(text), file=sys.stderr)

    def show_error(self, text: str) -> None:
        """Print an error in one line to standard error."""
        print(f"Error: {printable(text)}", file=sys.stderr)

    @contextmanager
    def progress(self, what: str) -> Iterator[Callable[[VerifiedStream], None]]:
        """
        Show the progress of a scan while the block runs, if standard error is a terminal.

        :param what: the text to show before the first chunk.
        :return: a context manager that yields the function to call with the stream at each chunk.
        """
        console = terminal(stderr=True)
        if self.quiet or not console.is_terminal:
            yield lambda stream: None
            return
        with console.status(plain(what)) as status:
            yield lambda stream: status.update(_progress_text(stream))


def _progress_text(stream: VerifiedStream) -> str:
    return plain(f"{stream.served} of {stream.snapshot.get('vulnerabilities', '?')} vulnerabilities compared")


def _print_table(console: Console, outcome: Outcome, verbose: bool) -> None:
    if outcome.shown:
        console.print(findings_table(outcome.shown, console.width))
    console.print(summary(outcome, verbose))
