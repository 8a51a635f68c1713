"""
Thousands of scans of one scanner's daemon, with a real server and a real reporter.

The promise: nothing grows with the number of scans. The resident memory and the open descriptors of each daemon, the
state folder of the scanner, the reporter's database and the write-ahead logs are at the end as they were after the
first scans. The host is the same all the time, so each report replaces the one before.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from random import Random

from attrs import define, field

from tests import processes
from tests.chaos.attack import Outcome, program
from tests.chaos.watch import family_mib
from tests.integration.daemons import SCANNER, Daemon, wait_for
from tests.integration.sample_host import write_host
from tests.integration.sample_lists import write_list

#: The part of a figure by which it may grow, and what may be added to it whatever it is: an allocator's step, a page.
GROWTH, SLACK = 0.05, {"MiB": 2.0, "descriptors": 3.0, "KiB": 64.0}
_SCANNED = re.compile(r"debian-12: \d+ vulnerabilities")


@define
class Figures:
    """
    The figures of one run, by name, one for each look.

    :ivar units: by the same names.
    """

    series: dict[str, list[float]] = field(factory=dict)
    units: dict[str, str] = field(factory=dict)

    def note(self, name: str, value: float, unit: str) -> None:
        """Note a figure."""
        self.series.setdefault(name, []).append(value)
        self.units[name] = unit

    def outcomes(self, scans: int, settled: int, tried: str) -> list[Outcome]:
        """Compare the mean after the first scans with that at the end."""
        found = []
        for name, values in self.series.items():
            unit, part = self.units[name], max(2, (len(values) - settled) // 5)
            first = statistics.mean(values[settled : settled + part])
            last = statistics.mean(values[-part:])
            holds = last <= first * (1 + GROWTH) + SLACK[unit]
            figures = f"{first:,.1f} {unit} at first, {last:,.1f} {unit} at the end"
            found.append(Outcome(f"{name} does not grow", tried, figures, holds, times=scans))
        return found


def _descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def _kib(*paths: Path) -> float:
    """Return the size of files and folders, in KiB; of those that are away now, none."""
    total = 0
    for path in paths:
        for each in (path, *path.rglob("*")) if path.is_dir() else (path,):
            with suppress(FileNotFoundError):
                total += each.stat().st_size if each.is_file() else 0
    return total / 1024


@define
class Stand:
    """The three daemons."""

    server: Daemon
    reporter: Daemon
    scanner: subprocess.Popen[bytes]
    folder: Path

    def scans(self) -> int:
        """Return the number of scans so far."""
        return len(_SCANNED.findall((self.folder / "scanner.log").read_text()))

    def look(self, figures: Figures) -> None:
        """Note all figures."""
        folders = {"server": self.folder / "server", "reporter": self.folder / "reporter"}
        for name, process in (
            ("server", self.server.process),
            ("reporter", self.reporter.process),
            ("scanner", self.scanner),
        ):
            assert process is not None
            figures.note(f"{name}: resident memory", family_mib(process.pid), "MiB")
            figures.note(f"{name}: open descriptors", _descriptors(process.pid), "descriptors")
        figures.note("scanner: state folder and cache", _kib(self.folder / "state", self.folder / "cache"), "KiB")
        figures.note("reporter: database", _kib(folders["reporter"] / "reports.sqlite"), "KiB")
        figures.note("server: catalogue", _kib(folders["server"] / "catalogue.sqlite"), "KiB")
        for name, folder in folders.items():
            figures.note(f"{name}: write-ahead logs", _kib(*folder.glob("*-wal")), "KiB")


def _run(stand: Stand, figures: Figures, scans: int, looks: int) -> float:
    """Note the figures again and again while the scanner scans. Return the seconds."""
    began = time.monotonic()
    for number in range(1, looks + 1):
        due = scans * number // looks
        wait_for(lambda due=due: stand.scans() >= due, 60 + scans)  # type: ignore[misc]
        stand.look(figures)
    return time.monotonic() - began


def attack(rng: Random, folder: Path, scans: int, looks: int) -> list[Outcome]:
    """
    Scan again and again.

    :param looks: how often the figures are taken.
    """
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    feed = write_list(folder / "list.ndjson", 500)
    root = write_host(folder / "host", "debian", "12", {f"package-{n}": "1:0-0" for n in range(100)})
    server = Daemon("patches-server", folder / "server", "--list", str(feed)).start()
    reporter = Daemon("patches-reporter", folder / "reporter", "--reports-per-minute", "100000").start()
    command = [*SCANNER, "--root", str(root), "--patches-server", f"http://127.0.0.1:{server.port}"]
    command += ["--reporter", f"http://127.0.0.1:{reporter.port}/v1/reports", "--scan-frequency", "100ms"]
    command += ["--state-dir", str(folder / "state"), "--cache", str(folder / "cache")]
    server.wait_until_ready()
    figures = Figures()
    with (folder / "scanner.log").open("wb") as log:
        scanner = processes.start(command, stdout=log, stderr=log)
    try:
        stand = Stand(server, reporter, scanner, folder)
        seconds = _run(stand, figures, scans, looks)
    finally:
        processes.end(scanner)
        server.stop()
        reporter.stop()
    log_text = (folder / "scanner.log").read_text() + server.text() + reporter.text()
    tried = f"{scans:,} scans in {seconds:.0f} s"
    outcomes = figures.outcomes(scans, looks // 10, tried)
    accepted = log_text.count("was accepted")
    is_clean = "Traceback" not in log_text
    outcomes.append(Outcome("no traceback", tried, f"{accepted:,} reports accepted", is_clean, times=scans))
    return outcomes


if __name__ == "__main__":
    program(__doc__, attack, scans=2000, looks=100)
