"""
SIGTERM to each daemon in every state in which it can be, some times each; to ``patches scan`` also SIGINT.

Each must end within two seconds, with exit code 0 and without a traceback; a scanner's session must be closed. The
command ends with exit code 130, or that of its outcome once it is shown.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

from tests.chaos.attack import Outcome, program
from tests.chaos.lifecycle.daemon_states import COMMAND, STATES, Scene, sessions
from tests.integration.daemons import wait_for

#: The longest time from the signal to the end, in seconds, and how long one is waited for.
MOST_SECONDS, _WAITED = 2.0, 30.0


def stop_in(program: str, state: str, folder: Path, rng: Random) -> tuple[float, list[str]]:
    """
    Bring a program into a state and stop it.

    :return: the seconds until it has ended, and what was wrong besides.
    """
    folder.mkdir(parents=True)
    scene = Scene(folder.absolute(), rng, program == COMMAND)
    with scene.stack:
        STATES[program][state](scene)
        assert scene.subject is not None
        before = sessions(scene.server) if scene.server is not None else 0
        began = time.monotonic()
        scene.subject.send_signal(rng.choice((signal.SIGINT, signal.SIGTERM)) if scene.is_command else signal.SIGTERM)
        try:
            code = scene.subject.wait(_WAITED)
        except subprocess.TimeoutExpired:
            code = None
        seconds = time.monotonic() - began
        return seconds, list(_wrong(scene, code, before))


def _wrong(scene: Scene, code: int | None, before: float) -> Iterator[str]:
    if code is None:
        yield "it did not end"
    elif code != scene.code:
        yield f"exit code {code}"
    for word in ("Traceback", "Unhandled"):
        if word in scene.text():
            yield f"its log has {word!r}"
    if scene.open_sessions:
        yield "its session was not closed"
    if scene.server is not None and before:
        server, left = scene.server, max(0.0, before - 1)
        try:
            wait_for(lambda: sessions(server) <= left, 1)
        except AssertionError:
            yield "its session was not closed"


def can_enter(state: str) -> bool:
    """Return whether a state can be made here: only root can give a process a name server of its own."""
    return "resolving" not in state or (os.getuid() == 0 and shutil.which("unshare") is not None)


def attack(rng: Random, folder: Path, times: int) -> list[Outcome]:
    """
    Stop each daemon in each of its states.

    :param times: how often.
    """
    outcomes = []
    for program_name, states in STATES.items():
        for state in filter(can_enter, states):
            where = folder / program_name / state.replace(" ", "-")
            slowest, wrong = 0.0, []
            for number in range(times):
                seconds, found = stop_in(program_name, state, where / str(number), rng)
                slowest, wrong = max(slowest, seconds), [*wrong, *found]
                shutil.rmtree(where, ignore_errors=True)
            holds = slowest <= MOST_SECONDS and not wrong
            outcomes.append(
                Outcome(
                    f"every program: SIGTERM ends it within {MOST_SECONDS:g} s: {program_name} {state}",
                    f"{times} times",
                    f"{slowest:.2f} s",
                    holds,
                    tuple(dict.fromkeys(wrong)),
                )
            )
    return outcomes


if __name__ == "__main__":
    program(__doc__, attack, times=3)
