"""Tests for :mod:`patches.service.backoff`."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from patches.service.backoff import Backoff


class BackoffTests(SynchronousTestCase):
    """Pauses."""

    def test_doubles(self) -> None:
        """A pause doubles with each failure in a row, up to the longest."""
        backoff = Backoff(1.0, 10.0, lambda: 0.0)
        self.assertEqual([backoff.pause(failures) for failures in range(1, 7)], [1.0, 2.0, 4.0, 8.0, 10.0, 10.0])

    def test_jitter(self) -> None:
        """A pause is shortened by at most its half."""
        self.assertEqual(Backoff(4.0, 10.0, lambda: 1.0).pause(1), 2.0)
        self.assertEqual(Backoff(4.0, 10.0, lambda: 0.5).pause(1), 3.0)

    def test_full_jitter(self) -> None:
        """A pause can be random as a whole."""
        self.assertEqual(Backoff(4.0, 10.0, lambda: 0.75, fixed=0).pause(1), 1.0)

    def test_at_least(self) -> None:
        """A pause is never shorter than the server asked for, even above the longest pause."""
        backoff = Backoff(1.0, 10.0, lambda: 1.0)
        self.assertEqual((backoff.pause(1, 25.0), backoff.pause(5, 1.0)), (25.0, 5.0))

    def test_many_failures(self) -> None:
        """After very many failures the pause is the longest, not an overflow."""
        self.assertEqual(Backoff(0.5, 1e9, lambda: 0.0).pause(10**6), 0.5 * 2**20)

    def test_spread(self) -> None:
        """A pause that the server asked for is never shortened."""
        self.assertEqual([Backoff(1.0, 2.0, lambda j=j: j).spread(8.0) for j in (0.0, 0.5, 1.0)], [8.0, 10.0, 12.0])

    @given(st.integers(1, 100), st.floats(0, 0.999))
    def test_bounds(self, failures: int, jitter: float) -> None:
        """A pause is between half of the pause without jitter and all of it."""
        whole = Backoff(0.5, 30.0, lambda: 0.0).pause(failures)
        self.assertTrue(whole / 2 < Backoff(0.5, 30.0, lambda: jitter).pause(failures) <= whole)
