"""Tests for :mod:`patches.http.validators`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.http.validators import names, weak_tag


class NamesTests(SynchronousTestCase):
    """``If-None-Match`` and the name of what is there."""

    def test_named(self) -> None:
        """Weak and strong tags, lists of them, and the star name it."""
        for field in (weak_tag("a1"), '"a1"', '"b", W/"a1"', '"a1","c"', '"a,b" , "a1"', "*", " * ", '"a1",'):
            self.assertTrue(names(field, "a1"), field)

    def test_not_named(self) -> None:
        """Another tag, a part of one, and what is no list of tags name nothing."""
        for field in (None, "", '"b"', '"a"', "a1", 'w/"a1"', '"a1', '"x" "a1"', '"a1" x', '"b, a1"', '*, "a1"'):
            self.assertFalse(names(field, "a1"), field)

    def test_long(self) -> None:
        """The time for a field grows with its length alone."""
        self.assertFalse(names('"a",' * 100_000 + "x", "a1"))
