"""Checks that the tests of every version order share."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from patches.versions import InvalidVersion
from tests.shared_data import shared


def lines_of(path: str) -> list[list[str]]:
    """Read a table of recorded results."""
    rows = shared(path).read_text("utf-8").splitlines()
    return [row.split("\t") for row in rows if row and not row.startswith("#")]


class OrderCase(SynchronousTestCase):
    """A case about one version order."""

    sort_key: Callable[[str], Any]

    def relation(self, a: str, b: str) -> str:
        """Return the relation of two versions."""
        first, second = type(self).sort_key(a), type(self).sort_key(b)
        return "<" if first < second else ">" if first > second else "="

    def is_valid(self, version: str) -> bool:
        """Return whether a version has a key."""
        try:
            type(self).sort_key(version)
        except InvalidVersion:
            return False
        return True

    def assert_ascending(self, *versions: str) -> None:
        """Check that each version is older than the next."""
        for older, newer in pairwise(versions):
            self.assertEqual(self.relation(older, newer), "<", (older, newer))
            self.assertEqual(self.relation(newer, older), ">", (newer, older))

    def assert_recorded(self, scheme: str, least: int) -> None:
        """Check that every recorded comparison has the native tool's result."""
        rows = lines_of(f"data/oracles/versions-{scheme}.tsv")
        self.assertEqual([row[:3] for row in rows if self.relation(row[0], row[2]) != row[1]], [])
        self.assertGreater(len(rows), least)

    def assert_total(self, *versions: str) -> None:
        """Check that sorting versions by their keys keeps each pair in order."""
        ordered = sorted(versions, key=type(self).sort_key)
        for number, older in enumerate(ordered):
            for newer in ordered[number:]:
                self.assertIn(self.relation(older, newer), "<=")
                self.assertIn(self.relation(newer, older), ">=")
