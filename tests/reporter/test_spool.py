"""Tests for :mod:`patches.reporter.spool`."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from patches.reporter.spool import (
    BUSY,
    MOST_ADDRESSES,
    MOST_BODIES,
    MOST_SPOOLED_BYTES,
    NO_ROOM,
    NOT_ACCEPTING,
    Body,
    Refusal,
    ReportRate,
    Spool,
)

MIB = 1024 * 1024


class SpoolTests(SynchronousTestCase):
    """Bodies in progress."""

    def setUp(self) -> None:
        self.accepting = True
        self.spool = Spool(lambda: self.accepting)
        self.closed: list[int] = []

    def begin(self, number: int = 0, now: float = 0.0) -> Body:
        """Begin a body that is admitted."""
        body = self.spool.begin(lambda: self.closed.append(number), now)
        assert isinstance(body, Body)
        return body

    def test_room(self) -> None:
        """The first mebibyte of each body has room; what is beyond is granted from one share, and comes back."""
        large = self.begin()
        self.assertIsNone(self.spool.add(large, MIB + MOST_SPOOLED_BYTES))
        self.assertIs(self.spool.add(large, 1), NO_ROOM)
        small = self.begin()
        self.assertIsNone(self.spool.add(small, MIB))
        self.assertIs(self.spool.add(small, 1), NO_ROOM)
        self.spool.end(large)
        self.spool.end(large)
        self.assertIsNone(self.spool.add(small, 1))

    def test_number(self) -> None:
        """There are so many bodies; then the slowest makes room, if it only holds its place."""
        bodies = [self.begin(number) for number in range(MOST_BODIES)]
        self.assertIs(self.spool.begin(list, 4.9), BUSY)
        for body in bodies:
            self.spool.add(body, 5 * 20 * 1024)
        self.assertIs(self.spool.begin(list, 5.0), BUSY)
        self.begin(999, 6.5)  # all are too slow by now
        self.assertEqual((self.closed, len(self.spool)), ([0], MOST_BODIES))

    def test_whole(self) -> None:
        """A body that was received is neither slow nor half read, however long it waits for the reporter."""
        for number in range(MOST_BODIES):
            self.begin(number).is_whole = True
        self.assertIs(self.spool.begin(list, 1000.0), BUSY)
        self.assertEqual(self.spool.shed(9), 0)
        self.assertEqual(self.closed, [])

    def test_accepting(self) -> None:
        """A governor stops new bodies, and closes the youngest ones first."""
        for number in range(3):
            self.begin(number)
        self.accepting = False
        self.assertIs(self.spool.begin(list, 0), NOT_ACCEPTING)
        self.assertEqual([self.spool.shed(2) for _ in range(3)], [2, 1, 0])
        self.assertEqual((self.closed, len(self.spool)), ([2, 1, 0], 0))

    @given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 400 * MIB))))
    def test_accounts(self, steps: list[tuple[int, int]]) -> None:
        """Whatever comes and goes, the bytes beyond the first mebibytes stay within the share."""
        spool = Spool()
        bodies: list[Body] = []
        for step, size in steps:
            if step == 0 or not bodies:
                body = spool.begin(list, 0)
                assert isinstance(body, Body)
                bodies.append(body)
            elif step == 1:
                spool.end(bodies.pop())
            else:
                spool.add(bodies[step % len(bodies)], size)
            self.assertLessEqual(sum(max(0, body.size - MIB) for body in bodies), MOST_SPOOLED_BYTES)
        for body in bodies:
            spool.end(body)
        last = spool.begin(list, 0)
        assert isinstance(last, Body)
        self.assertIsNone(spool.add(last, MIB + MOST_SPOOLED_BYTES))


class RateTests(SynchronousTestCase):
    """Reports a minute."""

    def test_burst(self) -> None:
        """An address may send all its reports at once, then one for each part of a minute; others do not count."""
        rate = ReportRate(60)
        self.assertEqual([rate.take("a", 0.0) for _ in range(60)], [None] * 60)
        refused = rate.take("a", 0.0)
        assert isinstance(refused, Refusal)
        self.assertEqual((refused.status[:3], refused.retry_after), (b"429", 1))
        self.assertIsNone(rate.take("b", 0.0))
        self.assertIsNone(rate.take("a", 1.0))
        self.assertIsNotNone(rate.take("a", 1.0))
        self.assertEqual([rate.take("a", 3600.0) for _ in range(60)], [None] * 60)

    def test_slow(self) -> None:
        """The pause is as long as it takes until there is a report again."""
        rate = ReportRate(2)
        self.assertEqual([rate.take("a", 0.0) for _ in range(2)], [None] * 2)
        refused = rate.take("a", 10.0)
        assert isinstance(refused, Refusal)
        self.assertEqual(refused.retry_after, 20)

    def test_addresses(self) -> None:
        """The table of addresses is bounded."""
        rate = ReportRate(1)
        for number in range(MOST_ADDRESSES + 10):
            self.assertIsNone(rate.take(number, 0.0))
        self.assertEqual(len(rate._left), MOST_ADDRESSES)
        self.assertIsNotNone(rate.take(MOST_ADDRESSES, 0.0))
