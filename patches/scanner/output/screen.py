"""
The terminal of ``patches scan``: the document goes to standard output or a file, all else to standard error.

What lays out tables is large, and is imported only where there is a table or a terminal.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from attrs import define, frozen

from patches.scanner.client.verified_stream import VerifiedStream
from patches.scanner.outcome import Outcome
from patches.scanner.output.formats import TABLE, WRITERS
from patches.storage.atomic_file import Unwritable, WholeFile
from patches.wording import printable

if TYPE_CHECKING:
    from rich.table import Table

#: The most findings in one table.
MOST_ROWS = 200
#: The width of a table in a file, in columns.
_FILE_WIDTH = 160


class ProgressText(Protocol):
    """
    The progress of the reading of a list, in words.

    :ivar is_known: whether it is known what is read.
    """

    @property
    def is_known(self) -> bool: ...

    @property
    def what(self) -> str: ...

    @property
    def text(self) -> str: ...


@define(eq=False)
class ProgressLine:
    """
    The line that says what is read, once it is known.

    :param note: prints a line.
    :param update: replaces the text of the progress.
    :param why: the beginning of the line.
    """

    _note: Callable[[str], None]
    _update: Callable[[str], None]
    _why: str
    _is_told: bool = False
    _what: str = "the source"

    def show(self, progress: ProgressText) -> None:
        """Show the progress."""
        self._what = progress.what
        if progress.is_known:
            self._tell(f"reading {self._what}")
        self._update(progress.text)

    def end(self) -> None:
        """Show that nothing had to be read, if nothing was."""
        self._tell(f"{self._what} has nothing new")

    def _tell(self, text: str) -> None:
        if not self._is_told:
            self._is_told = True
            self._note(f"{self._why}{text}.")


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
            self.file.put(self._pieces(outcome))
            return
        try:
            if self.form == TABLE:
                from patches.service.terminal import terminal

                console = terminal()
                for part in _parts(outcome, self.verbose, console.width):
                    console.print(part)
            else:
                sys.stdout.writelines(self._pieces(outcome))
                sys.stdout.flush()
        except OSError as error:
            raise Unwritable(f"standard output: {error.strerror}") from error

    def _pieces(self, outcome: Outcome) -> Iterator[str]:
        if self.form != TABLE:
            yield from WRITERS[self.form](outcome)
            yield "\n"
            return
        from patches.service.terminal import terminal

        for part in _parts(outcome, self.verbose, _FILE_WIDTH):
            text = io.StringIO()
            terminal(text, _FILE_WIDTH).print(part)
            yield text.getvalue()

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
        with self._status(what) as update:
            yield (lambda stream: update(_progress_text(stream))) if self._is_watched else lambda stream: None

    @contextmanager
    def refreshing(self, why: str) -> Iterator[ProgressLine]:
        """
        Show the progress of the reading of a list while the block runs; where there is no terminal, one line.

        :param why: the beginning of that line.
        """
        with self._status("Reading the list") as update:
            yield ProgressLine(self.note, update, why)

    @property
    def _is_watched(self) -> bool:
        return not self.quiet and sys.stderr.isatty()

    @contextmanager
    def _status(self, text: str) -> Iterator[Callable[[str], None]]:
        """Show a text that can be replaced, if standard error is a terminal."""
        if not self._is_watched:
            yield lambda text: None
            return
        from patches.service.terminal import plain, terminal

        with terminal(stderr=True).status(plain(text)) as status:
            yield lambda text: status.update(plain(text))


def _progress_text(stream: VerifiedStream) -> str:
    return f"{stream.served} of {stream.snapshot.get('vulnerabilities', '?')} vulnerabilities compared"


def _parts(outcome: Outcome, verbose: bool, width: int) -> Iterator[Table | str]:
    """Yield the tables of the findings, each of which is laid out as a whole, and the summary."""
    from patches.scanner.output.table import findings_table, summary

    findings = iter(outcome.shown)
    while part := tuple(islice(findings, MOST_ROWS)):
        yield findings_table(part, width)
    yield summary(outcome, verbose)
