"""Hostile sources beside a good one: each is an error of its own list, within the memory limit."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.daemons import Daemon, wait_for
from tests.integration.hostile_feeds import HOSTILE
from tests.integration.sample_lists import write_list

LIMIT_MIB = 256


def children(pid: int) -> list[int]:
    """Return the child processes of a process."""
    return [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]


def resident_mib(pid: int) -> float:
    """Return the resident memory of a process in MiB; 0 if it has ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    except (OSError, IndexError):
        return 0.0


class Watched:
    """
    A server with one hostile source and a good one.

    :ivar most: the most memory of the server and its workers together that was seen, in MiB.
    """

    def __init__(self, folder: Path, *names: str) -> None:
        folder.mkdir()
        write_list(folder / "good.ndjson", 23)
        sections = [f'[source.good]\nkind = "ndjson"\npath = "{folder / "good.ndjson"}"\n']
        for name in names:
            kind, file, write = HOSTILE[name]
            only = 'platforms = ["alpine-3.20"]\n'
            sections.append(f'[source.{name}]\nkind = "{kind}"\npath = "{write(folder / file)}"\n{only}')
        (folder / "server.toml").write_text("\n".join(sections))
        options = "--config", str(folder / "server.toml"), "--memory-limit", f"{LIMIT_MIB}MiB"
        self.server = Daemon("patches-server", folder / "state", *options)
        self.most = 0.0
        self.started = time.monotonic()

    def start(self) -> None:
        """Start the server."""
        self.started = time.monotonic()
        self.server.start()

    @property
    def pid(self) -> int:
        """The id of the server's process."""
        assert self.server.process is not None
        return self.server.process.pid

    def measure(self) -> None:
        """Note the memory of the server and of its workers."""
        self.most = max(self.most, sum(map(resident_mib, (self.pid, *children(self.pid)))))

    def problem(self) -> str:
        """Return the problems of the sources, and measure."""
        self.measure()
        return str(self.server.ask("/ready")[1]["problem"] or "")

    def serves(self) -> bool:
        """Return whether the good list is served, and measure."""
        self.measure()
        return self.server.ask("/ready?platform=debian-12")[0] == 200


@pytest.fixture(params=HOSTILE)
def watched(request: Any, tmp_path: Path) -> Iterator[tuple[str, Watched]]:
    """A server with one hostile source, running."""
    found = Watched(tmp_path / "hostile", request.param)
    found.start()
    yield request.param, found
    if found.server.process is not None and found.server.process.poll() is None:
        found.server.kill()


def test_hostile_source(watched: tuple[str, Watched]) -> None:
    """The good list is served within seconds; the other one is an error in one line; the ceiling holds."""
    name, server = watched
    wait_for(server.serves, 10)
    served = time.monotonic() - server.started
    problem = wait_for(server.problem, 60)
    failed = time.monotonic() - server.started
    stopping = time.monotonic()
    assert server.server.stop() == 0
    stopped = time.monotonic() - stopping
    print(f"{name}: served after {served:.1f} s, error after {failed:.1f} s: {problem}; ", end="")
    print(f"{server.most:.0f} MiB of {LIMIT_MIB} at most; SIGTERM {stopped:.1f} s")
    assert problem.startswith(f"{name}: ")
    assert "\n" not in problem
    assert "internal error" not in problem
    assert server.most <= LIMIT_MIB
    assert stopped < 5
    assert "Traceback" not in server.server.text()


@pytest.mark.parametrize("name", ["many-members", "long-string"])
def test_stopped_in_the_middle(tmp_path: Path, name: str) -> None:
    """A server that is stopped while a worker is busy ends within seconds, and so does the worker."""
    server = Watched(tmp_path / "hostile", name)
    server.start()
    workers = wait_for(lambda: children(server.pid), 10)
    stopping = time.monotonic()
    assert server.server.stop() == 0
    print(f"{name}: SIGTERM {time.monotonic() - stopping:.1f} s")
    assert time.monotonic() - stopping < 5
    wait_for(lambda: not any(map(resident_mib, workers)), 5)


def test_killed(tmp_path: Path) -> None:
    """A worker does not outlive a server that is killed."""
    server = Watched(tmp_path / "hostile", "many-members")
    server.start()
    workers = wait_for(lambda: children(server.pid), 10)
    server.server.kill()
    wait_for(lambda: not any(map(resident_mib, workers)), 5)
