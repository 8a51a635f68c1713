"""
The outcome of a scan as one HTML file, which needs no other file, no script and no network.

Every text is escaped, and its policy allows a browser to load nothing: *Content Security Policy Level 3*, W3C.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from attrs import evolve

from patches import __version__
from patches.scanner.outcome import Outcome
from patches.scanner.output.tables.columns import Column
from patches.scanner.output.tables.view import FINDING, UPGRADE, View
from patches.wire import rfc3339
from patches.wording import printable

_HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --line: #d0d7de; --bar: #f6f8fa; --severe: #b42318; --medium: #8a5a00; }}
@media (prefers-color-scheme: dark) {{
:root {{ --line: #3d444d; --bar: #1b2027; --severe: #ff8f87; --medium: #e0b04a; }} }}
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 1.5rem auto; max-width: 90rem; padding: 0 1rem; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ border-bottom: 1px solid var(--line); padding: .3rem .6rem; text-align: left; white-space: nowrap; }}
th {{ background: var(--bar); position: sticky; top: 0; }}
td.number, th.number {{ text-align: right; }}
tr.urgent, tr.critical, tr.high {{ color: var(--severe); }}
tr.medium {{ color: var(--medium); }}
tr.dim {{ opacity: .6; }}
code {{ background: var(--bar); display: block; padding: .6rem; overflow-wrap: anywhere; }}
</style>
</head>
<body>
"""


def html_pieces(outcome: Outcome, view: View) -> Iterator[str]:
    """
    Yield the text of the page of an outcome, in pieces: the summary, the upgrades, and the findings.

    :param view: its columns and its order apply to the rows that it is about.
    """
    yield from (piece.encode("ascii", "xmlcharrefreplace").decode() for piece in _pieces(outcome, view))


def _pieces(outcome: Outcome, view: View) -> Iterator[str]:
    title = f"{outcome.host} ({outcome.platform or 'unknown'}): {outcome.verdict}"
    yield _HEAD.format(title=_text(title))
    yield f"<h1>{_text(title)}</h1>\n"
    yield from _summary(outcome)
    for by, heading in ((UPGRADE, "Upgrades"), (FINDING, "Findings")):
        own = view if view.by == by else evolve(view, by=by, columns=(), sort_by=None)
        yield from _section(outcome, own, heading)
    made = f"Patches {__version__}, {rfc3339(outcome.finished)}, scan {outcome.scan_id}"
    yield f"<footer><p>{_text(made)}</p></footer>\n</body>\n</html>"


def _summary(outcome: Outcome) -> Iterator[str]:
    from rich.text import Text

    from patches.scanner.output.table import TO_UPGRADE, summary

    for line in summary(outcome, verbose=True).splitlines():
        text = Text.from_markup(line).plain
        before, found, command = text.partition(TO_UPGRADE)
        if found and not before:
            yield f"<p>{_text(TO_UPGRADE)}</p>\n<code>{_text(command.strip())}</code>\n"
        else:
            yield f"<p>{_text(text)}</p>\n"


def _section(outcome: Outcome, view: View, heading: str) -> Iterator[str]:
    columns = view.chosen(outcome)
    yield f'<h2>{heading}</h2>\n<div class="wide">\n<table>\n<thead><tr>'
    yield from (f"<th{_class(column)}>{_text(column.heading)}</th>" for column in columns)
    yield "</tr></thead>\n<tbody>\n"
    for row in view.found(outcome):
        name = f"{row.severity.name.lower()}{' dim' if row.is_dim else ''}"
        cells = "".join(f"<td{_class(column)}>{_cell(column.cell(row))}</td>" for column in columns)
        yield f'<tr class="{name}">{cells}</tr>\n'
    yield "</tbody>\n</table>\n</div>\n"


def _class(column: Column[Any]) -> str:
    return ' class="number"' if column.is_number else ""


def _cell(text: str) -> str:
    """Return a cell; one that is a web address is a link."""
    shown = _text(text)
    if not text.startswith(("https://", "http://")):
        return shown
    return f'<a href="{shown}" rel="noopener noreferrer">{shown}</a>'


def _text(text: object) -> str:
    return escape(printable(str(text)))
