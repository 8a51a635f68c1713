"""
SIGHUP, SIGUSR1 and SIGUSR2 every 20 ms, while daemons start and while they end.

The signals begin when the first module of a daemon is looked for, after twistd has imported the plugin module: from
there on until the end none of them may end a process. Each daemon then stops with exit code 0. What is sent while the
interpreter and twistd start cannot be caught.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from random import Random

from tests import processes
from tests.chaos.attack import Outcome, program
from tests.integration.daemons import TWISTD, wait_for
from tests.integration.sample_host import write_host
from tests.integration.sample_lists import write_list

_SIGNALS = (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
_PACE = 0.02
#: How long a daemon runs, and how long it may take to end; in seconds.
_RUNS, _ENDS = 0.5, 30.0
#: Creates a file when the package of one of the daemons is looked for.
_NOTICE = """
import os, sys
class Notice:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name in ("patches.server", "patches.scanner", "patches.reporter"):
            open(os.environ["TEST_NOTICE"], "w").close()
sys.meta_path.insert(0, Notice)
"""


def _options(folder: Path) -> dict[str, list[str]]:
    """Return the options of each daemon."""
    path = write_list(folder / "list.ndjson", 20)
    host = write_host(folder / "host", "debian", "12", {"package-1": "1:0-1"})
    anywhere = ["--listen", "tcp:0:interface=127.0.0.1"]
    return {
        "patches-server": [*anywhere, "--list", str(path), "--no-public-sources"],
        "patches-reporter": anywhere,
        "patches-scanner": ["--jitter", "1ms", "--root", str(host), "--patches-server", "http://127.0.0.1:9"],
    }


def _send(process: processes.subprocess.Popen[bytes], rng: Random, seconds: float, until: Path | None = None) -> None:
    """Send signals until the process has ended, some time has passed, or a log says that the daemon has started."""
    end = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < end:
        process.send_signal(rng.choice(_SIGNALS))
        time.sleep(_PACE)
        if until is not None and "Read again" in until.read_text():
            return


def _attempt(folder: Path, rng: Random, plugin: str, options: list[str]) -> tuple[int, bool]:
    """Start one daemon and stop it. Return its exit code, and whether its log has a traceback."""
    folder.mkdir()
    noticed, log = folder / "noticed", folder / "log"
    (folder / "sitecustomize.py").write_text(_NOTICE)
    more = {"PYTHONPATH": os.pathsep.join((str(folder), *sys.path[:1])), "TEST_NOTICE": str(noticed)}
    state = ["--state-dir", str(folder / "state")]
    command = [str(TWISTD), "--nodaemon", "--pidfile=", plugin, *state, *options]
    with log.open("wb") as file:
        process = processes.start(command, stdout=file, stderr=file, env={**os.environ, **more})
    wait_for(lambda: noticed.exists() or process.poll() is not None, 30)
    time.sleep(rng.uniform(0, _PACE))
    _send(process, rng, _ENDS, log)
    _send(process, rng, _RUNS)
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        _send(process, rng, _ENDS)
    code = processes.end(process)
    return code, "Traceback" in log.read_text()


def attack(rng: Random, folder: Path, starts: int) -> Outcome:
    """
    Start daemons, each in turn.

    :param starts: how many.
    """
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    plugins = list(_options(folder).items())
    rows = []
    for number in range(starts):
        plugin, options = plugins[number % len(plugins)]
        code, has_traceback = _attempt(folder / str(number), rng, plugin, options)
        if code or has_traceback:
            rows.append(f"{plugin}: exit code {code}{', a traceback' if has_traceback else ''}")
    return Outcome(
        "no SIGHUP, SIGUSR1 or SIGUSR2 ends a daemon that starts or stops",
        f"{starts} starts, a signal every {_PACE * 1000:.0f} ms",
        f"{len(rows)} daemons ended by a signal, or with a traceback",
        not rows,
        tuple(rows),
    )


if __name__ == "__main__":
    program(__doc__, attack, starts=30)
