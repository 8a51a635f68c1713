"""Tests for :mod:`patches.server.refresh.list_state`: the table of the life of a list."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.server.refresh.list_state import AT_REST, TRANSITIONS, IllegalTransition, ListEvent, ListState, next_state


class TableTests(SynchronousTestCase):
    """The whole table."""

    def test_complete(self) -> None:
        """Every state can be reached from the first one, and left; every event happens somewhere."""
        reached = {ListState.IDLE}
        for _ in ListState:
            reached |= {after for (before, _), after in TRANSITIONS.items() if before in reached}
        self.assertEqual(reached, set(ListState))
        self.assertEqual({before for before, _ in TRANSITIONS}, set(ListState))
        self.assertEqual({event for _, event in TRANSITIONS}, set(ListEvent))

    def test_back(self) -> None:
        """From every state a list can become idle again: none is for ever."""
        leads_back = {ListState.IDLE}
        for _ in ListState:
            leads_back |= {before for (before, _), after in TRANSITIONS.items() if after in leads_back}
        self.assertEqual(leads_back, set(ListState))

    def test_rest(self) -> None:
        """A list at rest can be due; one that is being read cannot, and can be interrupted or fail."""
        for state in ListState:
            self.assertEqual((state, ListEvent.DUE) in TRANSITIONS, state in AT_REST)
            for event in (ListEvent.INTERRUPTED, ListEvent.FAILED):
                if state not in AT_REST:
                    self.assertEqual(next_state(state, event), ListState.WAITING)

    def test_illegal(self) -> None:
        """An event that cannot happen raises, with both names."""
        with self.assertRaisesRegex(IllegalTransition, "^a list that is idle cannot be published$"):
            next_state(ListState.IDLE, ListEvent.PUBLISHED)
        legal = len(TRANSITIONS)
        for state in ListState:
            for event in ListEvent:
                try:
                    self.assertEqual(next_state(state, event), TRANSITIONS[state, event])
                    legal -= 1
                except IllegalTransition:
                    self.assertNotIn((state, event), TRANSITIONS)
        self.assertEqual(legal, 0)
