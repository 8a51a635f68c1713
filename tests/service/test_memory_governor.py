"""Tests for :mod:`patches.service.memory_governor`."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from patches.service.budget import CONNECTION_BYTES, CONNECTIONS, Budget
from patches.service.memory_governor import (
    LONGEST_CLOSED_SECONDS,
    SETTLE_SECONDS,
    GovernorState,
    MemoryGovernor,
    Shedder,
    next_governor_state,
)

OPEN, CLOSED, SHEDDING = GovernorState
LIMIT = 1000 * CONNECTION_BYTES


class StateTests(SynchronousTestCase):
    """The thresholds."""

    def test_thresholds(self) -> None:
        """Closed from 90 %, shedding from 95 %, and open again below 85 %."""
        for state, resident, expected in (
            (OPEN, 899, OPEN),
            (OPEN, 900, CLOSED),
            (OPEN, 950, SHEDDING),
            (CLOSED, 850, CLOSED),
            (CLOSED, 849, OPEN),
            (SHEDDING, 949, CLOSED),
            (SHEDDING, 849, OPEN),
            (CLOSED, 2000, SHEDDING),
        ):
            self.assertIs(next_governor_state(state, resident, 1000), expected, (state, resident))

    @given(st.sampled_from(GovernorState), st.integers(0, 2000))
    def test_never_open_above(self, state: GovernorState, resident: int) -> None:
        """From 90 % on it is never open, whatever it was before."""
        self.assertEqual(
            next_governor_state(state, resident, 1000) is OPEN, resident < (850 if state is not OPEN else 900)
        )


class GovernorTests(SynchronousTestCase):
    """A governor of a limit of a thousand connections."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.part = 0.5
        self.budget = Budget(LIMIT)
        self.asked: list[tuple[str, int]] = []
        self.few = 10
        self.governor = MemoryGovernor(LIMIT, lambda: int(self.part * LIMIT), self.budget, (CONNECTIONS,), self.clock)
        self.governor.shedders = (Shedder("first", self.shed_few), Shedder("second", self.shed_all))

    def shed_few(self, most: int) -> int:
        """End ten at most."""
        self.asked.append(("first", most))
        return min(self.few, most)

    def shed_all(self, most: int) -> int:
        """End all that is wanted."""
        self.asked.append(("second", most))
        return most

    def at(self, part: float, after: float = 0.1) -> None:
        """Measure this part of the limit, after a time."""
        self.part = part
        self.clock.advance(after)
        self.governor.tick()

    def test_closes(self) -> None:
        """From 90 % on the budget grants nothing for the closed purposes, and does so again below 85 %."""
        self.at(0.89)
        self.assertTrue(self.budget.take(CONNECTIONS, 1))
        self.at(0.91)
        self.assertFalse(self.budget.take(CONNECTIONS, 1))
        self.assertTrue(self.budget.take("other", 1))
        self.at(0.86)
        self.assertFalse(self.budget.take(CONNECTIONS, 1))
        self.at(0.84)
        self.assertTrue(self.budget.take(CONNECTIONS, 1))
        self.assertEqual((self.governor.counts["closed"], self.asked), (1, []))
        self.assertGreaterEqual(self.governor.counts["given-back"], 1)

    def test_sheds(self) -> None:
        """From 95 % on, as much is let go as explains what is above 90 %, in order; the next only after a moment."""
        self.at(0.96)
        self.assertEqual(self.asked, [("first", 60), ("second", 50)])
        self.at(0.96)
        self.assertEqual(len(self.asked), 2)
        self.few = 1000
        self.at(0.951, SETTLE_SECONDS)
        self.assertEqual(self.asked[2:], [("first", 51)])
        self.assertEqual((self.governor.counts["first"], self.governor.counts["second"]), (10 + 51, 50))

    def test_drops_first(self) -> None:
        """Already while it is closed, what nobody needs is dropped."""
        dropped: list[tuple[str, int]] = []
        self.budget.reclaim = lambda purpose, size: dropped.append((purpose, size))
        self.at(0.89)
        self.assertEqual(dropped, [])
        self.at(0.91)
        self.assertEqual(dropped, [(CONNECTIONS, LIMIT + 60 * CONNECTION_BYTES)])

    def test_kept_by_the_allocator(self) -> None:
        """Memory that is resident but not in use does not close the server for ever."""
        self.at(0.91)
        self.at(0.86, LONGEST_CLOSED_SECONDS - 1)
        self.assertIs(self.governor.state, CLOSED)
        self.at(0.86, 2)
        self.assertIs(self.governor.state, OPEN)
        self.at(0.88)
        self.assertIs(self.governor.state, OPEN)

    def test_in_use(self) -> None:
        """If the memory is in use, it stays closed."""
        self.budget.take(CONNECTIONS, LIMIT // 2)
        self.at(0.91)
        self.at(0.86, LONGEST_CLOSED_SECONDS + 1)
        self.assertIs(self.governor.state, CLOSED)
