"""Tests for :mod:`patches.versions.numbers`."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from patches.versions.numbers import number_key


class NumberTests(SynchronousTestCase):
    """Numbers as bytes."""

    def test_zero(self) -> None:
        """No digits, and any number of zeros, are zero: the lowest key."""
        for digits in (b"", b"0", b"000"):
            self.assertEqual(number_key(digits), b"\x01")

    def test_leading_zeros(self) -> None:
        """Leading zeros do not count."""
        self.assertEqual(number_key(b"007"), number_key(b"7"))
        self.assertNotEqual(number_key(b"70"), number_key(b"7"))

    def test_lengths(self) -> None:
        """More digits are a higher number, even where the count of digits needs more than a byte."""
        numbers = [10**exponent + more for exponent in range(200) for more in (0, 1) if exponent or not more]
        keys = [number_key(b"%d" % number) for number in numbers]
        for (lower, number), (higher, other) in pairwise(zip(keys, numbers, strict=True)):
            self.assertLess(lower, higher, (number, other))
        self.assertEqual({key[0] for key in keys}, set(range(2, 0x40)))
        self.assertEqual(number_key(b"1" * 61)[:1], b"\x3e")
        self.assertEqual(number_key(b"1" * 62)[:2], b"\x3f\x01")

    @given(st.integers(0, 10**130), st.integers(0, 10**130))
    def test_order(self, one: int, other: int) -> None:
        """Keys compare as the numbers do."""
        keys = number_key(b"%d" % one), number_key(b"%d" % other)
        self.assertEqual((keys[0] < keys[1], keys[0] == keys[1]), (one < other, one == other))
