"""
The output of ``patches scan``: each document goes to standard output or to a file, all else to standard error.

What lays out tables is large, and is imported only where there is a table or a terminal.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from attrs import define, field, frozen

from patches.scanner.client.verified_stream import VerifiedStream
from patches.scanner.outcome import Outcome
from patches.scanner.output.destinations import Destination, StandardOutput
from patches.scanner.output.formats import ONLY_FINDINGS, ROWS_ONLY, TABLE, TEXT_WRITERS, WRITERS
from patches.scanner.output.tables.template import UserTemplate
from patches.scanner.output.tables.view import View
from patches.storage.atomic_file import Unwritable
from patches.wording import printable


@frozen
class PlannedOutput:
    """
    A document to write.

    :ivar form: the name of its format.
    :ivar place: where it goes, as the user named it.
    :ivar template: the user's template, if that is the format.
    """

    form: str = TABLE
    destination: Destination = field(factory=StandardOutput)
    place: str = "-"
    template: UserTemplate | None = None


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


#: After so many looks at the progress, ten a second, it is said what is waited for.
_LONG_LOOKS = 15


@define(eq=False)
class ProgressLine:
    """
    The line that says what is read, once it is known.

    :param note: prints a line.
    :param update: replaces the text of the progress.
    :param why: the beginning of the line.
    :ivar what: the sources, in words.
    """

    _note: Callable[[str], None]
    _update: Callable[[str], None]
    _why: str
    _is_told: bool = False
    _looks: int = 0
    what: str = "the source"

    def show(self, progress: ProgressText) -> None:
        """Show the progress; that a source does not answer is said, too, also where there is no terminal."""
        self.what = progress.what
        self._looks += 1
        if progress.is_known:
            self._tell(f"reading {self.what}")
        elif self._looks == _LONG_LOOKS and not self._is_told:
            self._note(f"{self._why}waiting for {self.what}.")
        self._update(progress.text)

    def end(self) -> None:
        """Show that nothing had to be read, if nothing was."""
        self._tell(f"{self.what} has nothing new")

    def _tell(self, text: str) -> None:
        if not self._is_told:
            self._is_told = True
            self._note(f"{self._why}{text}.")


@frozen
class Screen:
    """
    The output of one scan.

    :ivar outputs: the documents to write.
    :ivar view: the rows of the table.
    :ivar verbose: whether the summary names the packages.
    :ivar quiet: whether progress and notes are suppressed.
    """

    outputs: tuple[PlannedOutput, ...] = (PlannedOutput(),)
    view: View = field(factory=View)
    verbose: bool = False
    quiet: bool = False

    def show(self, outcome: Outcome) -> None:
        """
        Write the documents of an outcome; one that cannot be written does not hinder the others.

        :raises Unwritable: at the end, if a document could not be written.
        """
        problem: Unwritable | None = None
        for document in self.outputs:
            try:
                self._write(document, outcome)
            except Unwritable as error:
                problem = problem or error
        if problem is not None:
            raise problem

    def _write(self, document: PlannedOutput, outcome: Outcome) -> None:
        if document.form in ONLY_FINDINGS and not outcome.shown:
            self._tell_unwritten(document, outcome)
        elif document.form != TABLE:
            document.destination.put(self._pieces(document, outcome))
            if document.form in ROWS_ONLY and outcome.problem is not None:
                self.show_error(f"{outcome.verdict}: {outcome.problem}: the {document.form} document does not say so.")
        elif isinstance(document.destination, StandardOutput) and _has_colours():
            self._print_table(outcome)
        else:
            document.destination.put(_table_pieces(outcome, self.view, self.verbose))

    def _tell_unwritten(self, document: PlannedOutput, outcome: Outcome) -> None:
        """Print why there is no document of statements: an error, unless the verdict is clean."""
        where = "" if isinstance(document.destination, StandardOutput) else f" to {document.place}"
        unwritten = f"no {document.form} document is written{where}."
        if outcome.problem is None:
            self.note(f"There are no findings to make statements about: {unwritten}")
        else:
            self.show_error(f"{outcome.verdict}: {outcome.problem}: {unwritten}")

    def _pieces(self, document: PlannedOutput, outcome: Outcome) -> Iterator[str]:
        if document.template is not None:
            yield from document.template.pieces(outcome, self.view)
            return
        if document.form in TEXT_WRITERS:
            yield from TEXT_WRITERS[document.form](outcome, self.view)
        else:
            yield from WRITERS[document.form](outcome)
        yield "\n"

    def _print_table(self, outcome: Outcome) -> None:
        from patches.scanner.output.table import summary
        from patches.service.terminal import terminal

        console = terminal()
        try:
            table = self.view.table(outcome)
            if table.row_count:
                console.print_table(table)
                console.print()
            console.print(summary(outcome, self.verbose))
        except OSError as error:
            raise Unwritable(f"standard output: {error.strerror}") from error

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
        is_watched = self._is_watched  # before the terminal replaces standard error
        with self._status(what) as update:
            yield (lambda stream: update(_progress_text(stream))) if is_watched else lambda stream: None

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


def _has_colours() -> bool:
    """Return whether standard output is a terminal, or is to be treated as one; see https://force-color.org."""
    return sys.stdout.isatty() or bool(os.environ.get("FORCE_COLOR"))


def _progress_text(stream: VerifiedStream) -> str:
    return f"{stream.served} of {stream.snapshot.get('vulnerabilities', '?')} vulnerabilities compared"


def _table_pieces(outcome: Outcome, view: View, verbose: bool) -> Iterator[str]:
    """Yield the lines of the table and of the summary, without colours."""
    from patches.scanner.output.table import summary
    from patches.service.terminal import terminal

    table = view.table(outcome)
    if table.row_count:
        yield from (f"{line}\n" for line, _ in table.lines())
        yield "\n"
    text = io.StringIO()
    terminal(text).print(summary(outcome, verbose))
    yield text.getvalue()
