"""Tests for :mod:`patches.server.sessions.states`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from patches.server.sessions.states import LIVE, TRANSITIONS, IllegalStep, SessionStep, State, next_state


class TransitionTests(SynchronousTestCase):
    """The table of transitions."""

    def test_every_step(self) -> None:
        """Each state and step is in the table, or is refused."""
        for state in State:
            for step in SessionStep:
                if (state, step) in TRANSITIONS:
                    self.assertIs(next_state(state, step), TRANSITIONS[state, step])
                else:
                    self.assertRaises(IllegalStep, next_state, state, step)

    def test_ends(self) -> None:
        """Every live session can end, and one that has ended takes no further step."""
        for state in State:
            following = {after for (before, _), after in TRANSITIONS.items() if before is state}
            self.assertEqual(bool(following - set(LIVE)), state in LIVE)
            self.assertEqual(bool(following), state in LIVE)

    def test_order(self) -> None:
        """A session is complete only after it was active, and active only after it was queued."""
        self.assertEqual({before for (before, _), after in TRANSITIONS.items() if after is State.COMPLETE}, {"active"})
        becomes = {before for (before, _), after in TRANSITIONS.items() if after is State.ACTIVE}
        self.assertEqual(becomes, {State.QUEUED, State.ACTIVE})
        self.assertFalse(any(after is State.QUEUED for after in TRANSITIONS.values()))
