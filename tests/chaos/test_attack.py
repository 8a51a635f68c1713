"""Tests for :mod:`tests.chaos.attack`: the programs of attacks, as people call them."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.integration.daemons import wait_for

_PROGRAM = """
import sys, time
from tests import processes
from tests.chaos.attack import Outcome, program

def attack(rng, folder, times, only=0):
    '''
    Try something.

    :param times: how often it is
        tried.
    '''
    print(folder, processes.start(["sleep", "600"]).pid, flush=True)
    time.sleep(600 if times > 1 else 0)
    return [] if only else [Outcome("something", "once", "1 s", True)]

program("Tries something.", attack, times=2, only=0)
"""


def _run(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", _PROGRAM, *options], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--help",), 0, "how often it is tried (default: 2)"),
        (("--times", "0"), 2, "must be 1 or more"),
        (("--times", "1", "--only", "1"), 2, "nothing was tried"),
        (("--json", "/nowhere/at/all.json"), 2, "No such file"),
        (("--times", "1"), 0, "something: 1 s (once): holds"),
    ],
)
def test_options(options: tuple[str, ...], code: int, said: str) -> None:
    """Options are described, and refused where they make no sense, before anything is tried."""
    ran = _run(*options)
    assert (ran.returncode, said in " ".join((ran.stdout + ran.stderr).split())) == (code, True), ran


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(number: int) -> None:
    """A program that is interrupted says so in one line, and leaves no process and no folder behind."""
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    folder, pid = process.stdout.readline().split()
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (130, "interrupted\n")
    assert folder.startswith(tempfile.gettempdir())
    assert not Path(folder).exists()
    wait_for(lambda: not Path(f"/proc/{pid}").exists(), 5)
