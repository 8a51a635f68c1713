"""
The first Patches scanner, served to the end: its protocol replayed in simulated time, for lists of four platforms.

.venv/bin/python -m benchmarks.first_scanner

The lists are made up, with as many records and fixed packages as those that Clair 2 was recorded with. The scanner runs
``dpkg -l`` (10 ms) or ``rpm -qa`` (30 ms) for each fixed package; its host has every package, so it reports every one.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from tests.first_scanner_replay import RECORDED, OriginalScanner, Recorded, ReplayedReporter, ReplayedServer

FORMAT = "{:14}{:>9}{:>8}{:>10}{:>11}{:>12}{:>7}{:>10}{:>9}{:>8}"


def replay(recorded: Recorded) -> str:
    """Run a scan. Return its row of the table."""
    with tempfile.TemporaryDirectory() as name:
        server = ReplayedServer(Path(name), [(recorded.platform, recorded.lines())])
        reporter = ReplayedReporter(Path(name), server)
        began = time.process_time()
        ran = OriginalScanner(server, reporter, recorded).scan()
        took = time.process_time() - began
        (host,) = reporter.ask("GET", "/v1/hosts")["hosts"]
        merged = sum(host["unverified"]["findings"].values())
        server.close()
        reporter.close()
    end = "complete" if ran.error is None else ran.error
    unique, reported = len(set(ran.received)), sum(ran.parts)
    numbers = (len(ran.received), unique, f"{ran.silence:.1f}", f"{ran.seconds:.0f}", end, len(ran.parts), reported)
    return FORMAT.format(recorded.platform, *numbers, merged, f"{took:.1f}")


def main() -> None:
    """Print the table."""
    print(FORMAT.format("", "records", "", "longest", "", "", "", "records", "merged", "CPU"))
    print(FORMAT.format("platform", "received", "unique", "silence s", "seconds", "end", "parts", "reported", "", "s"))
    for recorded in RECORDED:
        print(replay(recorded), flush=True)


if __name__ == "__main__":
    main()
