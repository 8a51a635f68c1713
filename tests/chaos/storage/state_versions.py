"""
State folders of earlier and of later versions of Patches, with the programs of this one.

The promise: nothing is lost of what an earlier version has written; what a later version has written is refused in one
clear line, without a traceback, and is not changed. The folders are made of real ones by
:mod:`tests.chaos.storage.state_folders`.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any

from attrs import define

from patches.signing import create_keys
from tests.chaos.attack import Outcome, program
from tests.chaos.storage import state_folders as made
from tests.integration.daemons import PATCHES, TWISTD, Daemon, wait_for
from tests.integration.sample_host import write_host
from tests.integration.sample_lists import write_list

RECORDS = 300
#: The folder that a row changes, what, how, and whether the folder is of a later version.
Row = tuple[str, str, made.Change, bool]
ROWS: tuple[Row, ...] = (
    *(("server", f"catalogue {number}", made.older_catalogue(number), False) for number in range(8, 0, -1)),
    *(("server", f"staged lists {number}", made.older_staged(number), False) for number in (4, 3, 2)),
    *(("reporter", f"reports {number}", made.older_reports(number), False) for number in (2, 1)),
    ("scanner", "cache without a digest", made.older_cache, False),
    ("scanner", "outbox without digests", made.older_outbox, False),
    ("scanner", "seen lists without a checksum", made.older_seen, False),
    ("server", "a later catalogue", made.later_catalogue, True),
    ("server", "later staged lists", made.later_staged, True),
    ("reporter", "later reports", made.later_reports, True),
    ("scanner", "a later cache", made.later_cache, True),
    ("scanner", "later seen lists", made.later_seen, True),
)


@define
class Base:
    """
    The state folders of this version, all written by its programs.

    :ivar served: the description of the list, as the server showed it.
    :ivar findings: the findings of the host, as the reporter showed them.
    """

    folder: Path
    served: dict[str, Any]
    findings: dict[str, Any]

    @property
    def server_options(self) -> list[str]:
        """The options of the server."""
        return ["--list", str(self.folder / "list.ndjson"), "--signing-key", str(self.folder / "key")]

    def scan(self, folder: Path, port: int, reporter: int = 9, *more: str) -> subprocess.CompletedProcess[str]:
        """Scan with the folders of a scanner."""
        command = [PATCHES, "scan", "--root", self.folder / "host", "--host", "web-1", "--format", "json"]
        command += ["--patches-server", f"http://127.0.0.1:{port}", "--cache", folder / "cache"]
        command += ["--state-dir", folder / "state", "--verify-key", self.folder / "key.pub"]
        command += ["--reporter", f"http://127.0.0.1:{reporter}/v1/reports", *more]
        return subprocess.run(command, capture_output=True, text=True, check=False)


def create_base(folder: Path) -> Base:
    """Create the folders by all programs: two lists of one platform, a report that arrived, and one that did not."""
    create_keys(folder / "key")
    write_host(folder / "host", "debian", "12", {f"package-{n}": "1:0-0" for n in range(40)})
    feed = write_list(folder / "list.ndjson", RECORDS)
    base = Base(folder, {}, {})
    server = Daemon("patches-server", folder / "server", *base.server_options, "--refresh-interval", "1s").start()
    reporter = Daemon("patches-reporter", folder / "reporter").start()
    try:
        server.wait_until_ready()
        write_list(feed.with_suffix(".new"), RECORDS + 1).replace(feed)
        wait_for(lambda: _served(server)["vulnerabilities"] == RECORDS + 1, 60)
        ran = base.scan(folder / "scanner", server.port, reporter.port)
        assert ran.returncode == 1, ran.stderr
        base.served = _served(server)
        base.findings = _findings(reporter)
        base.scan(folder / "scanner", server.port)  # its report waits
    finally:
        server.stop()
        reporter.stop()
    assert list((folder / "scanner/state/outbox").glob("0*.json"))
    return base


def _served(server: Daemon) -> dict[str, Any]:
    found = server.ask("/v1/platforms")[1]["platforms"][0]
    return {name: found[name] for name in ("revision", "vulnerabilities", "digest", "chunks", "bytes")}


def _findings(reporter: Daemon) -> dict[str, Any]:
    found = reporter.ask("/v1/hosts/web-1/findings")[1]
    return {"complete": found["complete"], "names": [each["name"] for each in found["vulnerabilities"]]}


def _check_server(base: Base, folder: Path) -> str:
    """Start a server with a folder of an earlier version. Return what is lost; empty: nothing."""
    server = Daemon("patches-server", folder, *base.server_options).start()
    try:
        server.wait_until_ready(30)
        wait_for(lambda: server.ask("/v1/platforms")[1]["platforms"][0]["publication"], 30)
        if _served(server) != base.served:
            return f"{_served(server)} is served, and not {base.served}"
        text = server.text()
        lost = [word for word in ("damaged", "Traceback", "Reading the list") if word in text]
        ran = base.scan(folder / "scanner", server.port)
        return f"{lost} in the log" if lost else "" if ran.returncode == 1 else f"a scan: {ran.stderr}"
    finally:
        server.stop()


def _check_reporter(base: Base, folder: Path) -> str:
    reporter = Daemon("patches-reporter", folder).start()
    try:
        found = _findings(reporter)
        lost = [word for word in ("damaged", "Traceback") if word in reporter.text()]
        return f"{lost} in the log" if lost else "" if found == base.findings else f"{found}, and not {base.findings}"
    finally:
        reporter.stop()


def _check_scanner(base: Base, folder: Path) -> str:
    """Scan offline, deliver what waits, and offer a list that is older than one that was seen."""
    reporter = Daemon("patches-reporter", folder / "reporter").start()
    try:
        ran = base.scan(folder, 9, reporter.port)
        document = json.loads(ran.stdout)
        if document["verdict"] != "findings":
            return f"a scan without a server: {document['verdict']}: {document['problem']}"
        number = reporter.ask("/v1/hosts")[1]["hosts"][0]["lastScan"]["number"]
        left = list((folder / "state/outbox").glob("0*.json"))
        return "" if number == 3 and not left else f"report {number} arrived last, {len(left)} wait"
    finally:
        reporter.stop()


def _content(folder: Path) -> dict[str, str]:
    """Return the digests of the files that hold state; logs and locks are none."""
    names = (made.CATALOGUE, made.STAGED, made.REPORTS)
    files = [path for path in folder.rglob("*") if path.name in names or path.parent.name in ("seen", "cache")]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _refused(base: Base, of: str, folder: Path) -> str:
    """Start the program of a folder of a later version. Return what is wrong; empty: it is refused in one line."""
    before = _content(folder)
    if of == "scanner":
        with ExitStack() as stack:
            server = Daemon("patches-server", folder / "server", *base.server_options).start()
            stack.callback(server.stop)
            server.wait_until_ready(30)
            # A cached list is as good as another one: only a scanner without a server needs it.
            is_cache = '"version": 1000' in next((folder / "cache").glob("*.json")).read_text()
            ran = base.scan(folder, 9 if is_cache else server.port)
        said, code = json.loads(ran.stdout)["problem"] or "", ran.returncode
    else:
        options = [*base.server_options, "--no-public-sources"] if of == "server" else []
        command = [TWISTD, "--nodaemon", "--pidfile=", f"patches-{of}", "--state-dir", folder]
        command += ["--listen", "tcp:0:interface=127.0.0.1", *options]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        lines = (ran.stdout + ran.stderr).strip().splitlines()
        said, code = lines[-1] if lines else "", ran.returncode
        if len(lines) != 1:
            return f"{len(lines)} lines: {lines}"
    if "Traceback" in ran.stdout + ran.stderr or not code or not said or "\n" in said:
        return f"exit code {code}: {said}: {ran.stderr[-500:]}"
    after = _content(folder)
    changed = [name for name in before if after.get(name) != before[name]]
    if "damaged" in said or changed:
        return f"{changed} were changed, or called damaged: {said}"
    return ""


def attack(rng: Random, folder: Path, rows: int = 0) -> list[Outcome]:
    """
    Start the programs with folders of all versions.

    :param rows: so many of them, chosen by chance, two of them of later versions; 0: all.
    """
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    base = create_base(folder)
    wrong: dict[bool, list[str]] = {False: [], True: []}
    chosen: list[Row] = list(ROWS)
    if rows:
        earlier, later = ([row for row in ROWS if row[3] is is_later] for is_later in (False, True))
        chosen = rng.sample(earlier, rows - 2) + rng.sample(later, 2)
    for number, (of, what, change, is_later) in enumerate(chosen):
        copy = folder / f"copy{number}"
        shutil.copytree(folder / of, copy, ignore=shutil.ignore_patterns("*.log"))
        change(copy)
        checks = {"server": _check_server, "reporter": _check_reporter, "scanner": _check_scanner}
        try:
            found = _refused(base, of, copy) if is_later else checks[of](base, copy)
        except (AssertionError, LookupError, ValueError) as error:
            found = f"{type(error).__name__}: {str(error)[-800:]}"
        if found:
            wrong[is_later].append(f"{of}, {what}: {found}")
    outcomes = []
    for is_later, promise in (
        (False, "folders of earlier versions: nothing is lost"),
        (True, "folders of later versions: refused in one line, and not changed"),
    ):
        times = sum(row[3] is is_later for row in chosen)
        names = ", ".join(row[1] for row in chosen if row[3] is is_later)
        worst = f"{len(wrong[is_later])} of {times} wrong"
        outcomes.append(Outcome(promise, names, worst, not wrong[is_later], tuple(wrong[is_later]), times))
    return outcomes


if __name__ == "__main__":
    program(__doc__, attack, rows=0)
