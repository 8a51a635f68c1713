"""Tests for :mod:`tests.language`: which docstrings are refused."""

from __future__ import annotations

import textwrap

from twisted.trial.unittest import SynchronousTestCase

from tests.language import findings

REFUSED = (
    "Give x.",
    "Gives x.",
    "give x",
    "Tell whether.",
    "Telling x.",
    "Have it.",
    "Has it.",
    "Let it.",
    "Letting it.",
)
REFUSED += (
    "Say so.",
    "Take up it.",
    "Take\\n    up it.",
    "Look.",
    "Look at it.",
    "Looking.",
    "*Give* it.",
    "\\n    Give it.",
)
REFUSED += (
    "Giving it.",
    "Given a body, returns it.",
    "Gave.",
    "Told of it.",
    "Having it.",
    "Had anew.",
    "Said of a list.",
    "Saying so.",
    "Taken up.",
    "Took it up.",
    "Looked at again.",
)
REFUSED += (
    "Who is not taken is denied.",
    "Whoever asks.",
    "Whose it is.",
    "What came of it.",
    "How it is read.",
    "Nothing is read.",
    "Whether it is read.",
)
ACCEPTED = (
    "Return x.",
    "Take x.",
    "A given list.",
    "The lookup of x.",
    "Lookup of x.",
    "Lettuce.",
    "Sayings.",
    "Haste.",
    "Whatever it contains, it is read.",
    "Howling.",
    "Whole lists.",
    "Teller of x.",
)
#: Where a docstring may stand.
PLACES = (
    '"""{}"""',
    'class A:\n    """{}"""',
    'def f():\n    """{}"""',
    'async def f():\n    """{}"""',
    'class A:\n    def f(self):\n        def g():\n            """{}"""',
)


class LanguageTests(SynchronousTestCase):
    """The check of ``make lint``."""

    def test_refused(self) -> None:
        """Each banned opening is refused in each place, in any form and case."""
        for opening in REFUSED:
            for place in PLACES:
                source = textwrap.dedent(place).replace("{}", opening.replace("\\n", "\n"))
                self.assertEqual(len(list(findings(source))), 1, source)

    def test_accepted(self) -> None:
        """Other openings are accepted."""
        for opening in ACCEPTED:
            for place in PLACES:
                self.assertEqual(list(findings(place.format(opening))), [], opening)

    def test_conditions(self) -> None:
        """A property may state a condition; no other definition may."""
        for decorator, refused in (
            ("property", 0),
            ("cached_property", 0),
            ("functools.cached_property", 0),
            ("staticmethod", 1),
            ("property_of(x)", 1),
        ):
            source = f'class A:\n    @{decorator}\n    def f(self):\n        """Whether it is read."""'
            self.assertEqual(len(list(findings(source))), refused, decorator)
