"""Tests for :mod:`patches.sources.clair.difference`."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from patches.sources.clair.difference import compare


def runs(before: str, now: str) -> list[tuple[str, str]]:
    """Return the runs of the difference between two lists whose names are letters."""
    found = compare(dict.fromkeys(before, ""), now)
    return [("".join(run.kept), "".join(run.moved)) for run in found.runs]


def gone(before: str, now: str) -> str:
    """Return the names that are gone."""
    return "".join(compare(dict.fromkeys(before, ""), now).gone)


class CompareTests(SynchronousTestCase):
    """Lists that are compared with their names now."""

    def test_same(self) -> None:
        """The same names in the same order are no difference; only the last of them is a question."""
        self.assertEqual(runs("abc", "abc"), [("abc", "")])
        self.assertTrue(compare({"a": "", "b": ""}, "ab").is_none)
        self.assertTrue(compare({}, "").is_none)

    def test_first(self) -> None:
        """Of a list that was never read, everything is read."""
        self.assertEqual(runs("", "abc"), [("", "abc")])

    def test_changed(self) -> None:
        """A row that changed is behind all that were there."""
        self.assertEqual(runs("abcd", "acdb"), [("acd", "b")])
        self.assertEqual(runs("abcd", "cdab"), [("cd", "ab")])

    def test_new(self) -> None:
        """So is a new row."""
        self.assertEqual(runs("abc", "abcxy"), [("abc", "xy")])

    def test_deleted(self) -> None:
        """A row that is gone is found by its absence alone."""
        self.assertEqual((runs("abcd", "abd"), gone("abcd", "abd")), ([("abd", "")], "c"))
        self.assertFalse(compare({"a": "", "b": ""}, "a").is_none)

    def test_late(self) -> None:
        """A row with a lower id is read; those behind it only if the last of them has changed."""
        self.assertEqual(runs("abcd", "abxcd"), [("ab", "x"), ("cd", "")])

    @given(st.text("abcdefgh", max_size=8).map(lambda text: "".join(dict.fromkeys(text))), st.permutations("abcdefgh"))
    def test_complete(self, before: str, now: list[str]) -> None:
        """Each name is in one run, in the order of the list, or gone; those that are kept have kept their order."""
        now = now[:5]
        found = compare(dict.fromkeys(before, ""), now)
        self.assertEqual([name for run in found.runs for name in (*run.kept, *run.moved)], now)
        self.assertEqual(set(found.gone), set(before) - set(now))
        kept = [before.index(name) for run in found.runs for name in run.kept]
        self.assertEqual(kept, sorted(kept))
