"""
A disk that becomes full while the daemons run, and has room again later.

The promise: each says so in one line, without a traceback, and goes on; a scan still says what it found; once there is
room, the list is published and the report arrives. It needs the right to mount a file system in memory: run it as
``unshare --user --map-root-user --mount python -m tests.chaos.full_disk``.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from random import Random

from tests import processes
from tests.chaos.attack import Outcome, program
from tests.integration.daemons import PATCHES, SCANNER, Daemon, wait_for
from tests.integration.sample_host import write_host
from tests.integration.sample_lists import write_list

ROOM_MIB = 64


class Disk:
    """
    A small disk in memory.

    :ivar folder: where it is mounted.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self, spare: int = 0) -> None:
        """Fill the disk but for some bytes."""
        with suppress(OSError), self._filler.open("ab", buffering=0) as file:
            while True:
                file.write(bytes(4096))

        if spare:
            with self._filler.open("r+b") as file:
                file.truncate(self._filler.stat().st_size - spare)

    def free(self) -> None:
        """Make room again."""
        self._filler.unlink(missing_ok=True)


@contextmanager
def small_disk(folder: Path) -> Iterator[Disk]:
    """Mount a small disk until the block ends."""
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={ROOM_MIB}m,mode=700", "tmpfs", folder], check=True)
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def _judged(name: str, log: str, checks: dict[str, bool]) -> Outcome:
    """Return the outcome of one daemon: what failed, and whether its log has a traceback."""
    checks["no traceback"] = "Traceback" not in log
    failed = [check for check, held in checks.items() if not held]
    said = [line.partition("] ")[2] for line in log.splitlines() if "full" in line or "No space" in line]
    more = [f"{len(said)} lines, such as: {said[0][:200]}"] if said else ["no line"]
    more += [log[-3000:]] if failed else []
    worst = ", ".join(failed) or "goes on, and recovers"
    return Outcome(f"{name}: one line, and goes on", "the disk is full, then has room", worst, not failed, tuple(more))


def _lines(log: str) -> int:
    return sum("full" in line or "No space" in line for line in log.splitlines())


def attack_server(rng: Random, folder: Path, records: int) -> Outcome:
    """Fill the disk of a server before its list is read, and again before it is published anew."""
    with small_disk(folder / "server") as disk, ExitStack() as stack:
        feed = write_list(folder / "list.ndjson", records)
        disk.fill(spare=rng.randrange(300_000, 600_000))
        server = Daemon("patches-server", disk.folder, "--list", str(feed), "--refresh-interval", "1m")
        server.log = folder / "server.log"
        server.start()
        stack.callback(server.stop)
        wait_for(lambda: _lines(server.text()), 60)
        checks = {"alive": server.ask("/health")[0] == 200, "few lines": _lines(server.text()) <= 5}
        disk.free()
        checks["reads its list"] = _within(60, lambda: server.ask("/ready")[0] == 200)
        before = server.ask("/v1/platforms")[1]["platforms"][0]
        disk.fill()
        write_list(feed, records + 10)
        said = _lines(server.text())
        checks["says so again"] = _within(120, lambda: _lines(server.text()) > said)
        checks["serves the list of before"] = (
            server.ask("/v1/platforms")[1]["platforms"][0]["revision"] == before["revision"]
            and server.ask("/v1/sessions", "POST", {"platform": "debian-12"})[0] == 201
        )
        disk.free()
        checks["publishes the new one"] = _within(
            120, lambda: server.ask("/v1/platforms")[1]["platforms"][0]["vulnerabilities"] == records + 10
        )
        return _judged("server", server.text(), checks)


def attack_reporter(rng: Random, folder: Path, records: int) -> Outcome:
    """Fill the disk of a reporter before a scanner sends its report."""
    with small_disk(folder / "reporter") as disk, ExitStack() as stack:
        feed = write_list(folder / "list-of-reporter.ndjson", records)
        server = Daemon("patches-server", folder / "server-of-reporter", "--list", str(feed)).start()
        stack.callback(server.stop)
        server.wait_until_ready()
        reporter = Daemon("patches-reporter", disk.folder)
        reporter.log = folder / "reporter.log"
        reporter.start()
        stack.callback(reporter.stop)
        root = write_host(folder / "host-of-reporter", "debian", "12", {f"package-{n}": "1:0-0" for n in range(400)})
        disk.fill()
        command = [*SCANNER, "--state-dir", folder / "scanner-state"]
        command += ["--root", root, "--patches-server", f"http://127.0.0.1:{server.port}"]
        command += ["--reporter", f"http://127.0.0.1:{reporter.port}/v1/reports"]
        with (folder / "scanner-of-reporter.log").open("wb") as log:
            scanner = processes.start(command, stdout=log, stderr=log)
        stack.callback(processes.end, scanner)
        checks = {"says so": _within(60, lambda: _lines(reporter.text()) > 0)}
        checks["alive"] = reporter.ask("/health")[0] == 200
        checks["few lines"] = _lines(reporter.text()) <= 5
        disk.free()
        checks["takes the report"] = _within(90, lambda: bool(reporter.ask("/v1/hosts")[1].get("hosts")))
        return _judged("reporter", reporter.text(), checks)


def attack_scanner(rng: Random, folder: Path, records: int) -> Outcome:
    """Fill the disk of a scanner's cache and outbox: its command, and its daemon."""
    with small_disk(folder / "scanner") as disk, ExitStack() as stack:
        feed = write_list(folder / "list-of-scanner.ndjson", records)
        server = Daemon("patches-server", folder / "server-of-scanner", "--list", str(feed)).start()
        stack.callback(server.stop)
        server.wait_until_ready()
        reporter = Daemon("patches-reporter", folder / "reporter-of-scanner").start()
        stack.callback(reporter.stop)
        root = write_host(folder / "host", "debian", "12", {f"package-{n}": "1:0-0" for n in range(400)})
        options = ["--root", root, "--patches-server", f"http://127.0.0.1:{server.port}"]
        options += ["--reporter", f"http://127.0.0.1:{reporter.port}/v1/reports"]
        options += ["--cache", disk.folder / "cache", "--state-dir", disk.folder / "state"]
        ran = subprocess.run([PATCHES, "scan", *options], capture_output=True, text=True, check=False)
        checks = {"it works while there is room": ran.returncode == 1}
        for made in (disk.folder / "cache").iterdir():
            made.unlink()
        disk.fill()
        ran = subprocess.run(
            [PATCHES, "scan", *options, "--format", "json"], capture_output=True, text=True, check=False
        )
        with suppress(ValueError):
            checks["the scan says what it found"] = json.loads(ran.stdout)["verdict"] == "findings"
        checks.setdefault("the scan says what it found", False)
        checks["the scan says in one line what is lost"] = ran.returncode == 5 and "No space left" in ran.stderr
        path = folder / "scanner.log"
        with path.open("wb") as log:
            daemon = processes.start(
                [*SCANNER, *options, "--scan-frequency", "3s"],
                stdout=log,
                stderr=log,
            )
        stack.callback(processes.end, daemon)
        checks["the daemon says so"] = _within(30, lambda: _lines(path.read_text()) > 0)
        checks["the daemon says what it found"] = _within(30, lambda: "findings" in path.read_text())
        checks["the daemon lives"] = daemon.poll() is None
        host = reporter.ask("/v1/hosts")[1]["hosts"]
        disk.free()
        checks["the report arrives"] = _within(60, lambda: reporter.ask("/v1/hosts")[1]["hosts"] != host)
        return _judged("scanner", ran.stderr + path.read_text(), checks)


def _within(seconds: float, condition: object) -> bool:
    try:
        wait_for(condition, seconds)  # type: ignore[arg-type]
    except AssertionError:
        return False
    return True


def attack(rng: Random, folder: Path, records: int, only: int = 0) -> list[Outcome]:
    """
    Fill the disk of each daemon in turn.

    :param only: 1: that of the server; 2: of the reporter; 3: of the scanner; 0: of all.
    """
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    attacks = (attack_server, attack_reporter, attack_scanner)
    return [each(rng, folder, records) for number, each in enumerate(attacks, 1) if only in (0, number)]


if __name__ == "__main__":
    program(__doc__, attack, records=20_000, only=0)
