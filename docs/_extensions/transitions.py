"""
A drawing of a table of transitions: each state is a vertical line, each transition an arrow from one to another.

Every table can be drawn so without a layout to find: the arrows are below each other, in the order of the table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from html import escape
from typing import Any

COLUMN, ROW, TOP, LEFT = 160, 34, 64, 80
_LINE = 'stroke="#bbb" stroke-dasharray="4 3"'
_ARROW = 'stroke="#2b6cb0" stroke-width="1.6" fill="none" marker-end="url(#arrow)"'


def drawing(table: Mapping[tuple[Any, Any], Any], title: str) -> str:
    """
    Return the drawing of a table, as SVG.

    :param table: (state, what happens) → the next state; of enumerations or strings.
    """
    states = _states(table)
    places = {state: LEFT + number * COLUMN for number, state in enumerate(states)}
    width, height = 2 * LEFT + (len(states) - 1) * COLUMN + 60, TOP + len(table) * ROW + 24
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'role="img" font-family="Helvetica, Arial, sans-serif" font-size="12" fill="#222">',
        f"<title>{escape(title)}</title>",
        '<defs><marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" '
        'orient="auto"><path d="M0 0L10 5L0 10z" fill="#2b6cb0"/></marker></defs>',
        f'<rect width="{width}" height="{height}" fill="#fcfcfa"/>',
        *(_state(_text(state), x, height) for state, x in places.items()),
    ]
    for row, ((before, step), after) in enumerate(table.items()):
        parts.append(_arrow(places[before], places[after], TOP + 18 + row * ROW, _text(step)))
    return "\n".join([*parts, "</svg>"])


def _states(table: Mapping[tuple[Any, Any], Any]) -> list[Any]:
    """Return the states in the order in which they occur, those that begin something first."""
    begin: Iterable[Any] = (before for before, _ in table)
    return list(dict.fromkeys([*begin, *table.values()]))


def _text(value: Any) -> str:
    return str(value.value) if isinstance(value, Enum) else str(value)


def _state(name: str, x: int, height: int) -> str:
    return (
        f'<path d="M{x} {TOP - 22}V{height - 12}" {_LINE}/>'
        f'<rect x="{x - 62}" y="16" width="124" height="28" rx="6" fill="#ebf4ff" stroke="#2b6cb0"/>'
        f'<text x="{x}" y="35" text-anchor="middle" font-weight="bold">{escape(name)}</text>'
    )


def _arrow(start: int, end: int, y: int, label: str) -> str:
    if start == end:
        path, x, anchor = f"M{start} {y - 4}h22v10h-20", start + 28, "start"
    else:
        path, x, anchor = f"M{start} {y}H{end}", (start + end) // 2, "middle"
    at = y + 5 if start == end else y - 5
    # The text has an outline in the colour of the ground, so that the lines of states do not cross it.
    ground = 'stroke="#fcfcfa" stroke-width="4" paint-order="stroke"'
    return f'<path d="{path}" {_ARROW}/><text x="{x}" y="{at}" text-anchor="{anchor}" {ground}>{escape(label)}</text>'
