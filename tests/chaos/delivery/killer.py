"""
Daemons that are killed (SIGKILL) at random moments, again and again.

The promise: what was acknowledged is there after the next start. Of the server: a publication that it showed, and a
scan that was reading goes on and ends complete. Of the reporter: each report that it accepted. Of the scanner: its
numbers only grow, and each report that it stored arrives.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from random import Random
from typing import Any

from patches.scanner.outcome import Outcome as ScanOutcome
from patches.scanner.outcome import Verdict
from patches.scanner.reporting.report import report_document
from tests import processes
from tests.chaos.attack import Outcome, program
from tests.integration.daemons import PATCHES, SCANNER, Daemon, wait_for
from tests.integration.sample_host import write_host
from tests.integration.sample_lists import write_list

PLATFORM = "debian-12"
#: The longest time until a daemon that is started again has what it acknowledged, in seconds.
LONGEST = 30.0
HOSTS = 20


class Repeated:
    """A function that is called again and again in a thread until the block ends; a daemon that is away is expected."""

    def __init__(self, call: Callable[[], None]) -> None:
        self._call = call
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        while not self._done.is_set():
            with suppress(OSError, HTTPException, ValueError, LookupError):
                self._call()
            self._done.wait(0.02)

    def __enter__(self) -> Repeated:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()


class Kills:
    """
    Kills of one daemon.

    :ivar lost: what was acknowledged and is not there, in words.
    :ivar slowest: the longest time until the daemon had everything again, in seconds.
    """

    def __init__(self, daemon: Daemon, rng: Random) -> None:
        self._daemon = daemon
        self._rng = rng
        self.lost: list[str] = []
        self.slowest = 0.0

    def once(self, check: Callable[[], str]) -> None:
        """
        Kill the daemon at a random moment, start it again, and check.

        :param check: returns what is missing; empty: nothing.
        """
        time.sleep(self._rng.choice((0.0, 0.05, 0.3, 1.0)) * (0.5 + self._rng.random()))
        self._daemon.kill()
        began = time.monotonic()
        self._daemon.start(self._daemon.port)
        missing = "never checked"
        while missing and time.monotonic() - began < LONGEST:
            with suppress(OSError, HTTPException, ValueError, LookupError):
                missing = check()
            time.sleep(0.05)
        self.slowest = max(self.slowest, time.monotonic() - began)
        if missing:
            self.lost.append(missing)

    def outcome(self, who: str, acknowledged: str, times: int, *more: str) -> Outcome:
        """Return the outcome."""
        if "Traceback" in self._daemon.text():
            self.lost.append("a traceback: " + self._daemon.text().partition("Traceback")[2][:600])
        return Outcome(
            f"{who}: what was acknowledged survives SIGKILL",
            f"killed at random moments, {acknowledged}",
            f"{len(self.lost)} lost; whole again after {self.slowest:.1f} s at most",
            not self.lost,
            (*more, *self.lost[:10]),
            times,
        )


def kill_server(rng: Random, folder: Path, kills: int) -> Outcome:
    """Kill a server whose list changes all the time, while a scan reads it."""
    records = 3000
    feed = write_list(folder / "list.ndjson", records)
    options = ("--list", str(feed), "--refresh-interval", "1s")
    server = Daemon("patches-server", folder / "server", *options).start()
    server.wait_until_ready()
    root = write_host(folder / "host", "debian", "12", {f"package-{n}": "1:0-0" for n in range(50)})
    command = [PATCHES, "scan", "--root", root, "--patches-server", f"http://127.0.0.1:{server.port}"]
    command += ["--format", "json", "--patience", f"{LONGEST:.0f}s", "--timeout", "60s"]
    shown: list[tuple[int, int]] = [(0, 0)]
    grown = records
    killing = Kills(server, rng)
    scans = 0

    def note() -> None:
        platform = server.ask("/v1/platforms")[1]["platforms"][0]
        shown.append((platform["publication"], platform["vulnerabilities"]))

    def grow() -> None:
        nonlocal grown
        time.sleep(0.4)
        grown += 7
        write_list(feed.with_suffix(".new"), grown).replace(feed)

    def check() -> str:
        platform = server.ask("/v1/platforms")[1]["platforms"][0]
        now = platform["publication"] or 0, platform["vulnerabilities"] or 0
        return "" if now >= before else f"{now} is served after {before} was shown"

    try:
        with Repeated(note), Repeated(grow):
            for _ in range(kills):
                scanning = processes.start(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                before = max(shown)
                killing.once(check)
                output, errors = scanning.communicate(timeout=90)
                scans += 1
                if scanning.returncode != 1:  # it finds something
                    said = (output[-300:] + errors[-300:]).decode("utf-8", "replace")
                    killing.lost.append(f"a scan ended with {scanning.returncode}: {said}")
    finally:
        server.stop()
    return killing.outcome("server", f"{len({each for each, _ in shown})} publications shown, {scans} scans", kills)


def kill_reporter(rng: Random, folder: Path, kills: int) -> Outcome:
    """Kill a reporter to which reports are sent all the time."""
    reporter = Daemon("patches-reporter", folder / "reporter", "--reports-per-minute", "100000").start()
    accepted: dict[str, int] = {}
    counts = {"sent": 0}

    def send() -> None:
        host, number = f"host-{counts['sent'] % HOSTS}", counts["sent"] + 1
        counts["sent"] += 1
        scanned = ScanOutcome(host, PLATFORM, time.time(), time.time(), Verdict.CLEAN)
        status, answer = reporter.ask("/v1/reports", "POST", report_document(scanned, number))
        if status == 200 and answer["accepted"]:
            accepted[host] = number

    def check() -> str:
        hosts = reporter.ask("/v1/hosts")[1]["hosts"]
        found: dict[str, Any] = {host["host"]: host["lastScan"]["number"] for host in hosts}
        lost = [name for name, number in before.items() if found.get(name, -1) < number]
        return f"reports of {lost[:3]} were accepted, and are not there" if lost else ""

    killing = Kills(reporter, rng)
    try:
        with Repeated(send):
            for _ in range(kills):
                wait_for(lambda: len(accepted) >= min(HOSTS, 3), 60)
                before = dict(accepted)
                killing.once(check)
    finally:
        reporter.stop()
    return killing.outcome("reporter", f"{sum(accepted.values()) and counts['sent']:,} reports sent", kills)


def kill_scanner(rng: Random, folder: Path, kills: int) -> Outcome:
    """Kill a scanner's daemon that scans and reports all the time."""
    feed = write_list(folder / "list-of-scanner.ndjson", 3000)
    server = Daemon("patches-server", folder / "server-of-scanner", "--list", str(feed)).start()
    reporter = Daemon("patches-reporter", folder / "reporter-of-scanner", "--reports-per-minute", "100000").start()
    root = write_host(folder / "host-of-scanner", "debian", "12", {f"package-{n}": "1:0-0" for n in range(50)})
    command = [*SCANNER, "--root", str(root), "--patches-server", f"http://127.0.0.1:{server.port}", "--host", "web-1"]
    command += ["--reporter", f"http://127.0.0.1:{reporter.port}/v1/reports", "--scan-frequency", "200ms"]
    command += ["--state-dir", str(folder / "state"), "--cache", str(folder / "cache")]
    scanner = _Scanner(command, folder / "scanner.log", reporter)
    killing = Kills(scanner, rng)  # type: ignore[arg-type]
    numbers: list[int] = []
    try:
        server.wait_until_ready()
        scanner.start()
        wait_for(lambda: scanner.number() > 0, 60)
        for _ in range(kills):
            stored = max([scanner.number(), *(int(path.stem) for path in (folder / "state/outbox").glob("0*.json"))])
            killing.once(lambda stored=stored: "" if scanner.number() > stored else f"no report after {stored}")  # type: ignore[misc]
            numbers.append(scanner.number())
            if numbers != sorted(set(numbers)):
                killing.lost.append(f"the numbers of reports do not only grow: {numbers[-5:]}")
        aside = [str(path) for path in (folder / "state/outbox/rejected").glob("*")]
        if aside:
            killing.lost.append(f"reports were set aside: {aside[:3]}")
        offline = [PATCHES, "scan", "--root", root, "--cache", folder / "cache", "--quiet", "--format", "json"]
        code = subprocess.run([*offline, "--offline"], capture_output=True, check=False)
        if code.returncode != 1 or json.loads(code.stdout)["verdict"] != "findings":
            killing.lost.append(f"the cached list is not whole: {code.stderr[-300:]!r}")
    finally:
        for daemon in (scanner, reporter, server):
            daemon.stop()
    return killing.outcome("scanner", f"{numbers[-1] if numbers else 0} reports", kills)


class _Scanner:
    """A scanner's daemon, with the parts of :class:`Daemon` that are needed; it has no port."""

    port = 0

    def __init__(self, command: list[str], log: Path, reporter: Daemon) -> None:
        self._command = command
        self._log = log
        self._reporter = reporter
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, port: int = 0) -> None:
        """Start it."""
        with self._log.open("ab") as log:
            self._process = processes.start(self._command, stdout=log, stderr=log)

    def kill(self) -> None:
        """Kill it."""
        assert self._process is not None
        processes.kill(self._process)

    def stop(self) -> None:
        """Stop it, if it was started."""
        if self._process is not None:
            processes.end(self._process)

    def text(self) -> str:
        """Return the text of the log."""
        return self._log.read_text()

    def number(self) -> int:
        """Return the number of its last report at the reporter; 0: none has arrived."""
        hosts = self._reporter.ask("/v1/hosts")[1]["hosts"]
        return int(hosts[0]["lastScan"]["number"]) if hosts else 0


def attack(rng: Random, folder: Path, kills: int, only: int = 0) -> list[Outcome]:
    """
    Kill each daemon so many times.

    :param only: 1: the server; 2: the reporter; 3: the scanner; 0: all.
    """
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    attacks = (kill_server, kill_reporter, kill_scanner)
    if only > len(attacks):
        sys.exit(f"--only must be 0 to {len(attacks)}")
    return [each(rng, folder, kills) for number, each in enumerate(attacks, 1) if only in (0, number)]


if __name__ == "__main__":
    program(__doc__, attack, kills=50, only=0)
