"""SIGTERM to each program in each of its states, once."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.chaos.lifecycle.daemon_states import STATES
from tests.chaos.lifecycle.sigterm import MOST_SECONDS, can_enter, stop_in

_ALL = [(program, state) for program, states in STATES.items() for state in states]


@pytest.mark.parametrize(("program", "state"), _ALL)
def test_sigterm(program: str, state: str, tmp_path: Path) -> None:
    """It ends within two seconds, in peace, and leaves no session behind."""
    if not can_enter(state):
        pytest.skip("only root can give a process a name server of its own")
    seconds, wrong = stop_in(program, state, tmp_path / "scene", Random(1))
    assert (wrong, seconds < MOST_SECONDS) == ([], True), seconds
