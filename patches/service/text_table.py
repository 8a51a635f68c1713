"""
Tables of plain texts in aligned columns, for people: no cell is cut off, and none is broken in its middle.

A row that is wider than a terminal goes on in the next line, from one cell to the next. Where the width does not
matter, such as in a file, each row is one line.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from patches.wording import printable

#: The cells of a row, and its style in a terminal with colours; an empty style is none.
Row = tuple[Sequence[str], str]
_GAP = "  "
_INDENT = "    "
_HEADING = "bold"


class TextTable:
    """
    A table, whose rows are either added one by one or made anew whenever they are needed.

    :param headings: of the columns, from left to right.
    :param rows: a function that yields the rows; ``None``: they are added.
    :param numbers: the headings of columns that are aligned to the right.
    :param optional: the headings of columns that are left out of a terminal in which the rows do not fit, the first one
        first.
    """

    def __init__(
        self,
        *headings: str,
        rows: Callable[[], Iterable[Row]] | None = None,
        numbers: Collection[str] = (),
        optional: Sequence[str] = (),
    ) -> None:
        self.headings = headings
        self._added: list[Row] = []
        self._rows: Callable[[], Iterable[Row]] = rows if rows is not None else lambda: self._added
        self._numbers = numbers
        self._optional = optional

    def add_texts(self, *cells: str, style: str = "") -> None:
        """Add a row; what cannot be shown is escaped."""
        self._added.append((cells, style))

    @property
    def row_count(self) -> int:
        """The number of rows."""
        return sum(1 for _ in self._rows())

    def lines(self, width: int | None = None) -> Iterator[tuple[str, str]]:
        """
        Yield the lines, the headings first, each with its style.

        :param width: of the terminal, in columns; ``None``: each row is one line.
        """
        widths = self._widths()
        shown = self._shown(widths, width)
        fits = width is None or _total(widths, shown) <= width
        for cells, style in self._all():
            chosen = [printable(cells[each]) for each in shown]
            if fits or width is None:
                yield self._aligned(chosen, shown, widths), style
            else:
                yield from ((line, style) for line in _flowing(chosen, width))

    def _all(self) -> Iterator[Row]:
        yield self.headings, _HEADING
        yield from self._rows()

    def _widths(self) -> list[int]:
        widths = [0] * len(self.headings)
        for cells, _ in self._all():
            for index, cell in enumerate(cells):
                widths[index] = max(widths[index], len(printable(cell)))
        return widths

    def _shown(self, widths: Sequence[int], width: int | None) -> list[int]:
        """Return the numbers of the columns that are shown."""
        shown = list(range(len(self.headings)))
        for heading in self._optional:
            if width is None or _total(widths, shown) <= width:
                break
            shown = [each for each in shown if self.headings[each] != heading]
        return shown

    def _aligned(self, cells: Sequence[str], shown: Sequence[int], widths: Sequence[int]) -> str:
        padded = [
            cell.rjust(widths[index]) if self.headings[index] in self._numbers else cell.ljust(widths[index])
            for cell, index in zip(cells, shown, strict=True)
        ]
        return _GAP.join(padded).rstrip()


def _total(widths: Sequence[int], shown: Sequence[int]) -> int:
    return sum(widths[each] for each in shown) + len(_GAP) * (len(shown) - 1)


def _flowing(cells: Sequence[str], width: int) -> Iterator[str]:
    """Yield the lines of a row that is too wide; a line ends between two cells."""
    line = ""
    for cell in cells:
        if not cell:
            continue
        longer = f"{line}{_GAP}{cell}" if line.strip() else f"{line}{cell}"
        if len(longer) > width and line.strip():
            yield line
            longer = f"{_INDENT}{cell}"
        line = longer
    yield line
