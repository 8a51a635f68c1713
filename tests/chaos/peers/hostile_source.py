"""
A server with one hostile source beside a good one: lists that unpack, nest or go on without end.

The promise: the good list is served within seconds, the other one is an error in one line, the memory of the server and
its workers stays below the limit, and SIGTERM ends all of them.
"""

from __future__ import annotations

import time
from pathlib import Path
from random import Random

from tests.chaos.attack import Outcome, program
from tests.chaos.watch import Watch
from tests.integration.daemons import Daemon, wait_for
from tests.integration.hostile_feeds import HOSTILE
from tests.integration.sample_lists import write_list


def _attacked(folder: Path, name: str, limit: int) -> tuple[float, float, float, str]:
    """Return the peak in MiB, the seconds until the good list was served, those that SIGTERM took, and the error."""
    folder.mkdir(parents=True)
    kind, file, write = HOSTILE[name]
    good = write_list(folder / "good.ndjson", 1000)
    sections = [f'[source.good]\nkind = "ndjson"\npath = "{good}"\n']
    sections.append(f'[source.{name}]\nkind = "{kind}"\npath = "{write(folder / file)}"\nplatforms = ["alpine-3.20"]\n')
    (folder / "server.toml").write_text("\n".join(sections))
    options = ("--config", str(folder / "server.toml"), "--memory-limit", f"{limit}MiB")
    server = Daemon("patches-server", folder / "state", *options)
    began = time.monotonic()
    server.start()
    try:
        with Watch(server) as watch:
            wait_for(lambda: server.ask("/ready?platform=debian-12")[0] == 200, 60)
            served = time.monotonic() - began
            problem = str(wait_for(lambda: server.ask("/ready")[1]["problem"], 120))
    finally:
        stopping = time.monotonic()
        server.stop()
    said = "a traceback" if "Traceback" in server.text() or "internal error" in problem else problem
    return watch.peak_mib, served, time.monotonic() - stopping, said


def attack(rng: Random, folder: Path, limit: int, only: int = 0) -> Outcome:
    """
    Read each hostile list.

    :param limit: the memory limit, in MiB.
    :param only: so many of them, chosen at random; 0: all.
    """
    folder = folder.absolute()
    names = rng.sample(sorted(HOSTILE), only) if only else list(HOSTILE)
    found = {name: _attacked(folder / name, name, limit) for name in names}
    peak, served, stopped = (max(each[n] for each in found.values()) for n in range(3))
    one_line = all(said.startswith(f"{name}: ") and "\n" not in said for name, (*_, said) in found.items())
    return Outcome(
        f"server: a hostile source harms no other list, and no limit of {limit} MiB",
        f"lists that unpack, nest or go on without end: {', '.join(names)}",
        f"{peak:.0f} MiB; the good list after {served:.1f} s; SIGTERM {stopped:.1f} s",
        peak <= limit and served < 10 and stopped < 2 and one_line,
        tuple(f"{name}: {numbers[0]:.0f} MiB, {numbers[3]}" for name, numbers in found.items()),
        times=len(names),
    )


if __name__ == "__main__":
    program(__doc__, attack, limit=256, only=0)
