"""
Troubles with disk and memory while the daemons run, which end later: see :mod:`tests.chaos.delivery.troubles`.

The promise: each daemon says so in one line each time the state changes, without a traceback, and goes on; a scan
still says what it found; once the trouble has ended, the list is published and the report arrives. A full disk needs
the right to mount a file system in memory: run it as ``unshare --user --map-root-user --mount python -m
tests.chaos.storage.failing_storage``.
"""

from __future__ import annotations

import json
import subprocess
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from random import Random
from unittest import SkipTest

from attrs import define

from tests import processes
from tests.chaos.attack import Outcome, program
from tests.chaos.delivery.troubles import KINDS, Trouble, trouble
from tests.integration.daemons import PATCHES, SCANNER, Daemon, wait_for
from tests.integration.sample_host import write_host
from tests.integration.sample_lists import write_list

DAEMONS = ("server", "reporter", "scanner")
#: The most lines about one trouble.
MOST_LINES = 5


@define
class Stand:
    """
    The daemons of one attack, and a host.

    :ivar options: of a scan: its host, server and reporter.
    :ivar state: the folder of the scanner's daemon.
    :ivar seconds: how long the trouble lasts, at least.
    """

    server: Daemon
    reporter: Daemon
    feed: Path
    options: list[str]
    state: Path
    seconds: int
    stack: ExitStack

    def start_scanner(self, log: Path, wrapper: tuple[str, ...], *options: str) -> subprocess.Popen[bytes]:
        """Start a scanner's daemon."""
        with log.open("wb") as file:
            process = processes.start(
                [*wrapper, *SCANNER, *self.options, *_folders(self.state), *options], stdout=file, stderr=file
            )
        self.stack.callback(processes.end, process)
        return process


def start(folder: Path, records: int, seconds: int, stack: ExitStack, of: str, found: Trouble) -> Stand:
    """
    Start a server and a reporter, with all that a scan needs.

    :param of: whose trouble it is: this daemon has the folder of the trouble.
    """
    feed = write_list(folder / "list.ndjson", records)
    daemons = []
    for name, options in (("server", ["--list", str(feed), "--refresh-interval", "2s"]), ("reporter", [])):
        daemon = Daemon(f"patches-{name}", found.folder if of == name else folder / name, *options)
        daemon.log = folder / f"{name}.log"
        if of == name:
            daemon.wrapped = found.wrapped
        daemons.append(daemon.start())
        stack.callback(daemon.stop)
    server, reporter = daemons
    server.wait_until_ready()
    root = write_host(folder / "host", "debian", "12", {f"package-{n}": "1:0-0" for n in range(400)})
    options = ["--root", str(root), "--patches-server", f"http://127.0.0.1:{server.port}"]
    options += ["--reporter", f"http://127.0.0.1:{reporter.port}/v1/reports"]
    state = found.folder if of == "scanner" else folder / "scanner"
    return Stand(server, reporter, feed, options, state, seconds, stack)


def _folders(state: Path) -> list[str]:
    return ["--cache", str(state / "cache"), "--state-dir", str(state / "state")]


def attack_server(stand: Stand, found: Trouble, records: int) -> dict[str, bool]:
    """Make the trouble, change the list, and end the trouble. Return what held."""
    server, pid = stand.server, _pid(stand.server)
    before = _served(server)
    found.begin(pid)
    write_list(stand.feed, records + 10)
    said = found.lines(server.text())

    def publishes() -> bool:
        return _served(server)["revision"] != before["revision"]

    # A list may be published whole in spite of it: no file is synced for that, and some memory is free.
    checks = {"says so": _within(60, lambda: len(found.lines(server.text())) > len(said) or publishes())}
    time.sleep(stand.seconds)
    checks["is alive"] = server.ask("/health")[0] == 200
    checks["serves a list"] = server.ask("/v1/sessions", "POST", {"platform": "debian-12"})[0] == 201
    found.end(pid)
    checks["publishes the new one"] = _within(120, lambda: _served(server)["vulnerabilities"] == records + 10)
    return checks


def attack_reporter(stand: Stand, found: Trouble, records: int) -> dict[str, bool]:
    """Make the trouble, let a scanner send its reports, and end the trouble. Return what held."""
    reporter, pid = stand.reporter, _pid(stand.reporter)
    found.begin(pid)
    stand.start_scanner(stand.feed.with_name("scanner.log"), (), "--scan-frequency", "1s")
    said = found.lines(reporter.text())
    # With the memory that is left it may take the report.
    checks = {"says so": _within(60, lambda: len(found.lines(reporter.text())) > len(said) or bool(_hosts(reporter)))}
    time.sleep(stand.seconds)
    checks["is alive"] = reporter.ask("/health")[0] == 200
    found.end(pid)
    checks["takes the report"] = _within(90, lambda: bool(_hosts(reporter)))
    return checks


def attack_scanner(stand: Stand, found: Trouble, records: int) -> dict[str, bool]:
    """Make the trouble for a scanner's daemon, and for the command beside it. Return what held."""
    log = stand.feed.with_name("scanner.log")
    scanner = stand.start_scanner(log, found.wrapper, "--scan-frequency", "2s")
    checks = {"works before": _within(60, lambda: bool(_hosts(stand.reporter)))}
    found.begin(scanner.pid)
    write_list(stand.feed, records + 10)
    began, said = time.monotonic(), len(log.read_text())
    checks["says so"] = _within(60, lambda: bool(found.lines(log.read_text())))
    time.sleep(max(0.0, stand.seconds - (time.monotonic() - began)))
    checks["is alive"] = scanner.poll() is None
    if "memory" not in found.words:
        checks["says what it found"] = _within(30, lambda: "findings" in log.read_text()[said:])
        checks.update(_command(stand, found))
    number = _number(stand.reporter)
    found.end(scanner.pid)
    checks["the report arrives"] = _within(90, lambda: _number(stand.reporter) > number)
    return checks


def _command(stand: Stand, found: Trouble) -> dict[str, bool]:
    """Scan by the command while its folder cannot be written; it cannot be traced from its beginning."""
    folders = _folders(stand.state / "own")  # the daemon holds the others
    command = [*found.wrapper, str(PATCHES), "scan", *stand.options, *folders, "--format", "json"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    says = False
    with suppress(ValueError):
        says = json.loads(ran.stdout)["verdict"] == "findings"
    checks = {"the command says what it found": says, "the command has no traceback": "Traceback" not in ran.stderr}
    if "I/O error" not in found.words:
        checks["the command says what is lost"] = ran.returncode == 5 and bool(found.lines(ran.stderr))
    return checks


def _attack(of: str, kind: str, folder: Path, records: int, seconds: int) -> Outcome:
    """Make a trouble of one kind for one daemon."""
    attacks = {"server": attack_server, "reporter": attack_reporter, "scanner": attack_scanner}
    log = folder / f"{of}.log"
    with trouble(kind, folder / "trouble") as found, ExitStack() as stack:
        stand = start(folder, records, seconds, stack, of, found)
        try:
            checks = attacks[of](stand, found, records)
        finally:
            found.end(0) if kind in ("full", "unsynced", "read-only") else None
        text = log.read_text().partition("listens on" if of != "scanner" else "twistd")[2]
        said = found.lines(text)
    scans = text.count("the scan failed")  # each is an outcome of its own, and is told
    checks["one line for each change"] = len(said) - scans <= MOST_LINES
    checks["no traceback"] = "Traceback" not in text
    failed = [check for check, held in checks.items() if not held]
    more = [f"{len(said)} lines, such as: {said[0].partition('] ')[2][:200]}"] if said else ["no line"]
    more += [text[-3000:]] if failed else []
    worst = ", ".join(f"not: {each}" for each in failed) or f"{len(said)} lines; goes on, and recovers"
    return Outcome(f"{of}, {kind}: says so and goes on", "it begins while it runs", worst, not failed, tuple(more))


def _pid(daemon: Daemon) -> int:
    assert daemon.process is not None
    return daemon.process.pid


def _served(server: Daemon) -> dict[str, object]:
    return dict(server.ask("/v1/platforms")[1]["platforms"][0])


def _hosts(reporter: Daemon) -> list[dict[str, dict[str, int]]]:
    return list(reporter.ask("/v1/hosts")[1].get("hosts", []))


def _number(reporter: Daemon) -> int:
    """Return the number of the last report; 0: there is none."""
    return max((host["lastScan"]["number"] for host in _hosts(reporter)), default=0)


def _within(seconds: float, condition: object) -> bool:
    try:
        wait_for(condition, seconds)  # type: ignore[arg-type]
    except AssertionError:
        return False
    return True


def attack(rng: Random, folder: Path, records: int, seconds: int, kind: int = 0, only: int = 0) -> list[Outcome]:
    """
    Make each trouble for each daemon in turn; what cannot be made here is said, and left out.

    :param seconds: how long each trouble lasts, at least.
    :param kind: the number of one kind, from 1; 0: all.
    :param only: 1: the server; 2: the reporter; 3: the scanner; 0: all.
    """
    outcomes = []
    for number, each in enumerate(KINDS, 1):
        for place, of in enumerate(DAEMONS, 1):
            if kind not in (0, number) or only not in (0, place):
                continue
            try:
                outcomes.append(_attack(of, each, folder.absolute() / f"{of}{number}", records, seconds))
            except SkipTest as reason:
                print(f"{of}, {each}: left out: {reason}")
    return outcomes


if __name__ == "__main__":
    program(__doc__, attack, records=20_000, seconds=12, kind=0, only=0)
