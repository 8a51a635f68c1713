"""Tests for :mod:`patches.service.budget`."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from patches.service.budget import Budget, MemoryLimitTooLow

WINDOW, REFRESH, SESSIONS, RESPONSES, CONNECTIONS = PURPOSES = ("window", "refresh", "sessions", "responses", "other")
STEPS = st.lists(st.tuples(st.sampled_from(PURPOSES), st.integers(0, 60), st.booleans()), max_size=40)


class BudgetTests(SynchronousTestCase):
    """Bytes that are granted and released."""

    def test_limit(self) -> None:
        """Bytes are granted up to the limit, and not beyond it."""
        budget = Budget(100)
        self.assertTrue(budget.take(SESSIONS, 60))
        self.assertFalse(budget.take(RESPONSES, 41))
        self.assertTrue(budget.take(RESPONSES, 40))
        self.assertFalse(budget.take(WINDOW, 1))
        self.assertEqual((budget.used[SESSIONS], budget.used[RESPONSES]), (60, 40))

    def test_release(self) -> None:
        """Released bytes can be granted again, for any purpose."""
        budget = Budget(100)
        budget.take(SESSIONS, 100)
        budget.release(SESSIONS, 70)
        self.assertEqual(budget.free(WINDOW), 70)

    def test_share(self) -> None:
        """A share is reserved for its purpose, which may be granted more than that."""
        budget = Budget(100, {WINDOW: 40})
        self.assertFalse(budget.take(SESSIONS, 61))
        self.assertTrue(budget.take(SESSIONS, 50))
        self.assertTrue(budget.take(WINDOW, 50))
        self.assertEqual(budget.free(SESSIONS), 0)

    def test_claim(self) -> None:
        """Bytes that are claimed but not free are kept as they are released, until they are granted."""
        budget = Budget(100)
        budget.take(SESSIONS, 80)
        self.assertFalse(budget.claim(REFRESH, 50))
        self.assertFalse(budget.take(SESSIONS, 1))
        budget.release(SESSIONS, 20)
        self.assertEqual((budget.free(SESSIONS), budget.free(REFRESH)), (-10, 40))
        self.assertFalse(budget.claim(REFRESH, 50))
        budget.release(SESSIONS, 10)
        self.assertTrue(budget.claim(REFRESH, 50))
        self.assertEqual(budget.free(SESSIONS), 0)
        budget.release(REFRESH, 50)
        self.assertTrue(budget.take(SESSIONS, 50))

    def test_claim_and_share(self) -> None:
        """A claim includes the share that is kept anyway; no more than the limit is kept."""
        budget = Budget(100, {REFRESH: 30})
        budget.take(SESSIONS, 40)
        self.assertFalse(budget.claim(REFRESH, 70))
        self.assertEqual(budget.free(SESSIONS), -10)
        self.assertFalse(budget.claim(REFRESH, 1000))
        self.assertEqual(budget.free(REFRESH), 60)

    def test_claim_and_connections(self) -> None:
        """A claim that cannot be granted yet leaves other purposes what is kept for them."""
        budget = Budget(100, {REFRESH: 10, CONNECTIONS: 20})
        budget.take(REFRESH, 50)
        self.assertFalse(budget.claim(REFRESH, 60))
        self.assertEqual((budget.free(CONNECTIONS), budget.free(SESSIONS)), (20, 0))
        self.assertTrue(budget.take(CONNECTIONS, 20))
        self.assertFalse(budget.take(CONNECTIONS, 1))

    def test_too_much_back(self) -> None:
        """Bytes that were not granted cannot be released."""
        budget = Budget(100)
        budget.take(SESSIONS, 10)
        self.assertRaises(ValueError, budget.release, SESSIONS, 11)
        self.assertRaises(ValueError, budget.release, WINDOW, 1)
        self.assertEqual(budget.used[SESSIONS], 10)

    def test_denied(self) -> None:
        """The requests that are denied are counted."""
        budget = Budget(10)
        budget.take(WINDOW, 11)
        self.assertEqual(dict(budget.denied), {WINDOW: 1})

    def test_shares_beyond_limit(self) -> None:
        """Shares must fit within the limit."""
        self.assertRaises(MemoryLimitTooLow, Budget, 99, {WINDOW: 50, REFRESH: 50})
        Budget(100, {WINDOW: 50, REFRESH: 50})

    @given(st.dictionaries(st.sampled_from(PURPOSES), st.integers(0, 40)), st.integers(0, 100), STEPS)
    def test_invariants(self, shares: dict[str, int], more: int, steps: list[tuple[str, int, bool]]) -> None:
        """The granted bytes never exceed the limit, and each purpose is granted its share at any time."""
        budget = Budget(sum(shares.values()) + more, shares)
        used = dict.fromkeys(PURPOSES, 0)
        for purpose, size, back in steps:
            if back:
                size = min(size, used[purpose])
                budget.release(purpose, size)
                used[purpose] -= size
            elif budget.take(purpose, size):
                used[purpose] += size
            self.assertEqual({each: budget.used[each] for each in PURPOSES}, used)
            self.assertLessEqual(sum(used.values()), budget.limit)
            for other, share in shares.items():
                self.assertGreaterEqual(budget.free(other), share - used[other])

    def test_closed(self) -> None:
        """While a purpose is closed, nothing is granted for it, and nothing is dropped for it; others are granted."""
        budget = Budget(100)
        asked: list[str] = []
        budget.reclaim = lambda purpose, size: asked.append(purpose)
        budget.closed = frozenset((SESSIONS,))
        self.assertEqual((budget.take(SESSIONS, 1), budget.take(WINDOW, 1), asked), (False, True, []))
        self.assertEqual(budget.denied[SESSIONS], 1)
        budget.closed = frozenset()
        self.assertTrue(budget.take(SESSIONS, 1))
