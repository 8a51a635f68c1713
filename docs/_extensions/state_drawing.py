"""
A drawing of a state machine, made from its table of transitions, as SVG.

The states stand in a column, in the order of their enumeration. A transition leaves its state at the side, where its
events are written, runs along a track of its own, and ends with an arrow: downwards on the right, upwards on the left.

A table is any mapping from (state, event) to state, of two enumerations of strings::

    .. state-machine:: patches.server.refresh.list_state TRANSITIONS
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from html import escape

from attrs import frozen

#: In pixels: the width of a state, the height of a transition's line, the distance of tracks, the width of a character.
_WIDTH, _LINE, _TRACK, _CHARACTER = 150, 22, 14, 6.6
_GAP, _MARGIN, _CORNER = 14, 10, 6


@frozen
class Transition:
    """
    All transitions from one state to another.

    :ivar events: their names.
    """

    before: int
    after: int
    events: tuple[str, ...]

    @property
    def is_down(self) -> bool:
        """Whether it leads to a state further down."""
        return self.after > self.before

    @property
    def label(self) -> str:
        """The text beside the line."""
        return ", ".join(self.events)


@frozen
class _Line:
    """A transition with the heights of its ends and the number of its track, on its side."""

    transition: Transition
    begin: float
    end: float
    track: int


def transitions_of(table: Mapping[tuple[StrEnum, StrEnum], StrEnum]) -> tuple[list[str], list[Transition]]:
    """Return the names of the states in their order, and the transitions between them, in the order of the states."""
    states = list(type(next(iter(table.values()))))
    events: dict[tuple[int, int], list[str]] = {}
    for (before, event), after in table.items():
        events.setdefault((states.index(before), states.index(after)), []).append(str(event))
    return [str(state) for state in states], [Transition(*pair, tuple(names)) for pair, names in sorted(events.items())]


def drawing(table: Mapping[tuple[StrEnum, StrEnum], StrEnum]) -> str:
    """Return the drawing of a table."""
    names, transitions = transitions_of(table)
    tops, heights = _places(len(names), transitions)
    lines = _lines(transitions, tops)
    down = [line for line in lines if line.transition.is_down]
    up = [line for line in lines if not line.transition.is_down]
    right, left = (_labels(side) + max((line.track + 1 for line in side), default=0) * _TRACK for side in (down, up))
    middle = _MARGIN + left
    width, height = middle + _WIDTH + right + _MARGIN, tops[-1] + heights[-1] + _MARGIN
    parts = [_state(name, middle, top, tall) for name, top, tall in zip(names, tops, heights, strict=True)]
    parts += [_path(line, middle, _labels(side)) for side in (down, up) for line in side]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'style="max-width:{width:.0f}px;width:100%" font-family="sans-serif" font-size="12" fill="currentColor">'
        '<defs><marker id="arrow" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto">'
        f'<path d="M0,0 L8,4 L0,8 z" fill="currentColor"/></marker></defs>{"".join(parts)}</svg>'
    )


def _ends(transitions: Iterable[Transition], state: int) -> list[tuple[Transition, bool]]:
    """Return the transitions at a state, with whether they begin there: those upwards first, then those downwards."""
    found = [(each, True) for each in transitions if each.before == state]
    found += [(each, False) for each in transitions if each.after == state]
    return sorted(found, key=lambda end: end[0].after + end[0].before - 2 * state)


def _places(states: int, transitions: list[Transition]) -> tuple[list[float], list[float]]:
    """Return the tops and the heights of the states; each side has room for a line of every transition there."""
    tops, heights, top = [], [], float(_MARGIN)
    for state in range(states):
        sides = [0, 0]
        for each, _ in _ends(transitions, state):
            sides[each.is_down] += 1
        tops.append(top)
        heights.append(max(*sides, 1) * _LINE + 10.0)
        top += heights[-1] + _GAP
    return tops, heights


def _lines(transitions: list[Transition], tops: list[float]) -> list[_Line]:
    """Return the lines: on each side the short ones have the inner tracks, and no two share a part of a track."""
    heights: dict[tuple[Transition, bool], float] = {}
    for state, top in enumerate(tops):
        sides = [0, 0]
        for each, begins in _ends(transitions, state):
            heights[each, begins] = top + 5 + (sides[each.is_down] + 0.5) * _LINE
            sides[each.is_down] += 1
    lines: list[_Line] = []
    for each in sorted(transitions, key=lambda each: abs(heights[each, True] - heights[each, False])):
        begin, end = heights[each, True], heights[each, False]
        taken = {
            line.track
            for line in lines
            if line.transition.is_down == each.is_down
            and min(line.begin, line.end) <= max(begin, end)
            and max(line.begin, line.end) >= min(begin, end)
        }
        track = next(number for number in range(len(transitions)) if number not in taken)
        lines.append(_Line(each, begin, end, track))
    return lines


def _labels(lines: Iterable[_Line]) -> float:
    """Return the room for the labels between the column and the tracks."""
    return max((len(line.transition.label) * _CHARACTER + 20 for line in lines), default=0.0)


def _state(name: str, x: float, top: float, height: float) -> str:
    return (
        f'<rect x="{x:.0f}" y="{top:.0f}" width="{_WIDTH}" height="{height:.0f}" rx="8" fill="none" '
        f'stroke="currentColor" stroke-width="1.5"/><text x="{x + _WIDTH / 2:.0f}" y="{top + height / 2 + 4:.0f}" '
        f'text-anchor="middle" font-weight="bold">{escape(name)}</text>'
    )


def _path(line: _Line, middle: float, labels: float) -> str:
    """Return a line with its label, from its state along its track to the other state."""
    is_down = line.transition.is_down
    edge, sign = (middle + _WIDTH, 1) if is_down else (middle, -1)
    track = edge + sign * (labels + line.track * _TRACK)
    turn, corner = (_CORNER if line.end > line.begin else -_CORNER), sign * _CORNER
    path = (
        f"M{edge:.0f},{line.begin:.0f} H{track - corner:.0f} q{corner},0 {corner},{turn} "
        f"V{line.end - turn:.0f} q0,{turn} {-corner},{turn} H{edge + sign * 2:.0f}"
    )
    anchor = "start" if is_down else "end"
    return (
        f'<path d="{path}" fill="none" stroke="currentColor" opacity="0.7" marker-end="url(#arrow)"/>'
        f'<text x="{edge + sign * 6:.0f}" y="{line.begin - 4:.0f}" text-anchor="{anchor}">'
        f"{escape(line.transition.label)}</text>"
    )
