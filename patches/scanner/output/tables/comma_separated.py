"""
The rows of an outcome as comma-separated values, for spreadsheets and scripts.

Source: RFC 4180, with line feeds as ends of lines. A text that a spreadsheet would take for a formula begins with an
apostrophe: *CSV Injection*, OWASP.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from attrs import evolve

from patches.scanner.outcome import Outcome
from patches.scanner.output.tables.view import COLUMNS, View
from patches.wording import printable

_FORMULA = ("=", "+", "-", "@")
#: Rows are passed on when there are this many.
_ROWS = 200


def csv_pieces(outcome: Outcome, view: View) -> Iterator[str]:
    """Yield the text of the rows, in pieces; the first one has the names of the columns, by default of all."""
    names = view.columns or tuple(COLUMNS[view.by])
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    whole = evolve(view, columns=names)
    for number, (cells, _) in enumerate(whole.rows(outcome)):
        if number % _ROWS == _ROWS - 1:
            yield text.getvalue()
            text.seek(0)
            text.truncate()
        writer.writerow([_cell(cell) for cell in cells])
    yield text.getvalue().removesuffix("\n")


def _cell(text: str) -> str:
    shown = printable(text).encode("ascii", "backslashreplace").decode()
    return f"'{shown}" if shown.startswith(_FORMULA) else shown
