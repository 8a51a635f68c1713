"""Processes whose peak memory, time and exit code are measured, and which end after a time whatever they do."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

from tests import processes

#: Its child's peak is its own: that of a child of a large process would begin with the size of its parent.
_WRAPPER = """
import os, resource, signal, sys
result, seconds, command = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
pid = os.fork()
if not pid:
    os.execv(command[0], command)
def end(*_):
    os.kill(pid, signal.SIGKILL)
signal.signal(signal.SIGALRM, end)
signal.signal(signal.SIGTERM, end)
signal.alarm(seconds)
_, status, used = os.wait4(pid, 0)
with open(result, "w") as file:
    file.write(f"{os.waitstatus_to_exitcode(status)} {used.ru_maxrss} {used.ru_utime + used.ru_stime}")
"""


@frozen
class Measured:
    """
    A process that has ended.

    :ivar code: its exit code; negative: the signal that ended it.
    :ivar peak_mib: its peak resident memory.
    :ivar seconds: how long it ran.
    :ivar cpu_seconds: how long it used a processor.
    :ivar output: the beginning of what it wrote to standard output and standard error.
    """

    code: int
    peak_mib: float
    seconds: float
    cpu_seconds: float
    output: str


def run_measured(command: Sequence[str | Path], folder: Path, seconds: int) -> Measured:
    """
    Run a process to its end.

    :param folder: the folder in which it runs.
    :param seconds: the time after which it is killed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    result, output = folder / "measured", folder / "output"
    began = time.monotonic()
    words = [sys.executable, "-SEc", _WRAPPER, str(result.resolve()), str(seconds), *map(str, command)]
    with output.open("wb") as file:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PATCHES_")}
        process = processes.start(words, stdout=file, stderr=subprocess.STDOUT, cwd=folder, env=environment)
        process.wait(seconds + 30)
    code, peak, cpu = result.read_text().split()
    with output.open("rb") as file:
        said = file.read(100_000).decode("utf-8", "replace")
    return Measured(int(code), int(peak) / 1024, time.monotonic() - began, float(cpu), said)
