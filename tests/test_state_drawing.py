"""Tests for the drawings of state machines in the documentation: ``docs/_extensions/state_drawing.py``."""

from __future__ import annotations

import re
from enum import StrEnum
from xml.etree import ElementTree

from twisted.trial.unittest import SynchronousTestCase

from patches.server.refresh.list_state import TRANSITIONS, ListEvent, ListState
from patches.server.sessions import states as sessions
from tests.docs_extensions import import_extension

SVG = "{http://www.w3.org/2000/svg}"


class Light(StrEnum):
    """The states of a traffic light."""

    RED = "red & still"
    GREEN = "green"


class Press(StrEnum):
    """Its events."""

    WALK = "walk"
    WAIT = "wait"
    LATE = "late"


TABLE = {
    (Light.RED, Press.WAIT): Light.GREEN,
    (Light.GREEN, Press.WALK): Light.RED,
    (Light.GREEN, Press.LATE): Light.RED,
    (Light.RED, Press.WALK): Light.RED,
}


class DrawingTests(SynchronousTestCase):
    """Drawings of tables."""

    def setUp(self) -> None:
        self.drawing = import_extension("state_drawing").drawing

    def texts(self, drawn: str) -> list[str]:
        """Return the texts of a drawing, which must be well-formed."""
        return [str(each.text) for each in ElementTree.fromstring(drawn).iter(f"{SVG}text")]

    def lines(self, drawn: str) -> list[str]:
        """Return the lines of a drawing, without the heads of arrows."""
        paths = [each for each in ElementTree.fromstring(drawn).iter(f"{SVG}path") if each.get("marker-end")]
        return [str(each.get("d")) for each in paths]

    def test_small(self) -> None:
        """Each state is there once, and each pair of states has one line with its events, also a state with itself."""
        drawn = self.drawing(TABLE)
        self.assertEqual(sorted(self.texts(drawn)), ["green", "red & still", "wait", "walk", "walk, late"])
        self.assertEqual(len(self.lines(drawn)), 3)

    def test_list(self) -> None:
        """The drawing of the life of a list has every state and every event."""
        texts = self.texts(self.drawing(TRANSITIONS))
        self.assertLessEqual({str(state) for state in ListState}, set(texts))
        self.assertEqual(
            {event for text in texts for event in text.split(", ")} & set(map(str, ListEvent)), set(ListEvent)
        )

    def test_session(self) -> None:
        """The drawing of the life of a session has every state and every step."""
        texts = self.texts(self.drawing(sessions.TRANSITIONS))
        self.assertLessEqual({str(state) for state in sessions.State}, set(texts))
        steps = {step for text in texts for step in text.split(", ")}
        self.assertLessEqual({str(step) for step in sessions.SessionStep}, steps)

    def test_apart(self) -> None:
        """No two lines share a part of a track."""
        tracks: dict[str, list[tuple[float, float]]] = {}
        for line in self.lines(self.drawing(TRANSITIONS)):
            found = re.fullmatch(r"M[\d.]+,([\d.]+) H([\d.]+) q\S+ \S+ V([\d.]+) .*", line)
            assert found is not None, line
            begin, end = sorted((float(found[1]), float(found[3])))
            for other_begin, other_end in tracks.get(found[2], []):
                self.assertTrue(end < other_begin or other_end < begin, line)
            tracks.setdefault(found[2], []).append((begin, end))
