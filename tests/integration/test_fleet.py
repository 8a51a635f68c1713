"""The main scenario with real processes: Clair, server, scanners of different speeds, reporter; some are killed."""

from __future__ import annotations

import gzip
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import SkipTest

import pytest

from tests import processes
from tests.integration.daemons import PATCHES, Daemon, wait_for
from tests.integration.loopback import LOOPBACK, URL_HOST
from tests.integration.sample_host import write_host
from tests.shared_data import shared

PLATFORM = "ubuntu-18.04"
VULNERABILITIES = 8_899
CLIENTS = 20
ACTIVE = 7
OPENED = 'patches_session_events_total{event="opened"}'
#: The packages of the scanned hosts; both the real list and the made-up one name the second of them.
PACKAGES = {"bash": "9:1", "sudo": "0.1-1"}


def namespace_file(folder: Path) -> Path:
    """Return the whole namespace ``ubuntu:18.04`` of a real Clair; without that data a made-up one of its size."""
    try:
        return shared("data/clair-v1/ubuntu_18.04.jsonl.gz")
    except SkipTest:
        path = folder / "namespace.jsonl.gz"
        with gzip.open(path, "wt") as file:
            for number in range(VULNERABILITIES):
                name = "sudo" if number % 100 == 0 else f"package-{number % 700}"
                fixed = [{"Name": name, "NamespaceName": "ubuntu:18.04", "VersionFormat": "dpkg", "Version": "1.8-1"}]
                record = {"Name": f"CVE-2019-{number}", "NamespaceName": "ubuntu:18.04", "Severity": "Medium"}
                print(json.dumps({**record, "FixedIn": fixed} if number % 2 == 0 else record), file=file)
        return path


class Clair:
    """The double of Clair as a process."""

    def __init__(self, file: Path) -> None:
        command = [
            sys.executable,
            "-m",
            "patches.testing.clair",
            "--interface",
            LOOPBACK,
            "--load",
            f"ubuntu:18.04={file}",
        ]
        self._process = processes.start(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.url = f"http://{URL_HOST}:{int(self._process.stdout.readline())}"

    def stop(self) -> dict[str, int]:
        """Stop the process. Return how often each path was requested."""
        self._process.send_signal(signal.SIGTERM)
        output, _ = self._process.communicate(timeout=30)
        counts: dict[str, int] = json.loads(output.splitlines()[-1])
        return counts

    def end(self) -> None:
        """End the process if it still runs, as it does after a test that failed."""
        if self._process.poll() is None:
            processes.kill(self._process)


class SlowClients(threading.Thread):
    """Slows clients, each to a different degree, by suspending them again and again."""

    def __init__(self, clients: list[subprocess.Popen[bytes]]) -> None:
        super().__init__(daemon=True)
        self._clients = clients
        self.ended = threading.Event()

    def run(self) -> None:
        turn = 0
        while not self.ended.wait(0.05):
            turn += 1
            for number, client in enumerate(self._clients):
                if client.poll() is None:
                    stopped = turn % (number % 5 + 2) != 0
                    client.send_signal(signal.SIGSTOP if stopped else signal.SIGCONT)
        for client in self._clients:
            if client.poll() is None:
                client.send_signal(signal.SIGCONT)


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[tuple[Clair, Daemon, Daemon]]:
    """A Clair, a server that reads it, and a reporter."""
    clair = Clair(namespace_file(tmp_path))
    reporter = Daemon("patches-reporter", tmp_path / "reporter").start()
    server = Daemon(
        "patches-server",
        tmp_path / "server",
        *("--clair", clair.url, "--platforms", PLATFORM, "--max-active", str(ACTIVE), "--window-bytes", "160KiB"),
        *("--session-timeout", "5", "--queue-timeout", "60", "--chunk-timeout", "120"),
    ).start()
    try:
        server.wait_until_ready()
        yield clair, server, reporter
    finally:
        server.stop()
        reporter.stop()
        clair.end()


class Clients:
    """The scanners, each with a name and a state folder of its own."""

    def __init__(self, folder: Path, server: Daemon, reporter: Daemon) -> None:
        self._folder = folder
        self._server = server
        self._reporter = reporter
        self._root = write_host(folder / "root", "ubuntu", "18.04", PACKAGES)
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self) -> subprocess.Popen[bytes]:
        """Start another scanner."""
        number = len(self.running)
        options = [
            *("--patches-server", f"http://{URL_HOST}:{self._server.port}", "--root", str(self._root)),
            *("--reporter", f"http://{URL_HOST}:{self._reporter.port}/v1/reports"),
            *("--host", f"host-{number}", "--state-dir", str(self._folder / f"client-{number}")),
        ]
        with self.log(number).open("wb") as log:
            client = processes.start([str(PATCHES), "scan", *options], stdout=log, stderr=log)
        self.running.append(client)
        return client

    def log(self, number: int) -> Path:
        """Return the path of a scanner's output."""
        return self._folder / f"client-{number}.log"

    def start_victim(self) -> None:
        """Start a scanner, and suspend it while it is queued: so it is active later, however fast a scan is."""
        with others_active(self._server) as before:
            victim = self.start()
            wait_for(lambda: self._server.metric(OPENED) == before + 1, 60)
            victim.send_signal(signal.SIGSTOP)
        wait_for(lambda: sessions(self._server, "active") == 1, 10)


def sessions(server: Daemon, state: str) -> float:
    """Return the number of sessions in a state."""
    return server.metric(f'patches_sessions{{platform="{PLATFORM}",state="{state}"}}')


@contextmanager
def others_active(server: Daemon) -> Iterator[float]:
    """Occupy all active places, so that further clients are queued; yield how many sessions were opened so far."""
    ended = threading.Event()
    tokens = [server.ask("/v1/sessions", "POST", {"platform": PLATFORM})[1]["session"] for _ in range(ACTIVE)]

    def stay() -> None:
        while not ended.wait(1):
            for token in tokens:
                server.ask(f"/v1/sessions/{token}")

    thread = threading.Thread(target=stay, daemon=True)
    thread.start()
    try:
        yield server.metric(OPENED)
    finally:
        ended.set()
        thread.join()
        for token in tokens:
            server.ask(f"/v1/sessions/{token}", "DELETE")


def test_fleet(tmp_path: Path, fleet: tuple[Clair, Daemon, Daemon]) -> None:
    """
    Twenty scanners of different speeds scan at the same time, with seven active sessions.

    One scanner is killed during its scan, and the server is killed and restarted during the scans. Every other scan is
    complete, with the same digest and the right count; the session of the killed scanner expires; the queue drains; the
    list was read from Clair once.
    """
    clair, server, reporter = fleet
    clients = Clients(tmp_path, server, reporter)
    clients.start_victim()
    with others_active(server) as before:
        survivors = [clients.start() for _ in range(CLIENTS - 1)]
        # a scanner survives a restart only if it has a session: each one opens a session before any of them may read
        wait_for(lambda: server.metric(OPENED) == before + len(survivors), 120)
        assert sessions(server, "queued") >= len(survivors)
        processes.kill(clients.running[0])
        slow = SlowClients(survivors)
        slow.start()
    wait_for(lambda: server.metric('patches_session_events_total{event="expired"}') == 1, 60)
    wait_for(lambda: server.metric('patches_session_events_total{event="completed"}') >= 1, 60)
    assert sessions(server, "active") + sessions(server, "queued") > 0
    server.kill()
    time.sleep(0.5)
    server.start(server.port)
    wait_for(lambda: server.metric('patches_session_events_total{event="resumed"}') > 0, 60)
    for number, client in enumerate(survivors, start=1):
        assert client.wait(120) == 1, clients.log(number).read_text()
    slow.ended.set()
    wait_for(lambda: sessions(server, "queued") == sessions(server, "active") == 0, 60)
    check_reports(reporter)
    counts = clair.stop()
    # The pages are walked again at the end, and by the server that was restarted; no details are asked for again.
    assert VULNERABILITIES <= counts["details"] <= VULNERABILITIES + 50
    pages = -(-VULNERABILITIES // 500) + 1  # the last response shows where the list ends
    assert 2 * pages <= counts["list"] <= 5 * pages


def check_reports(reporter: Daemon) -> None:
    """All hosts but the killed one have reported a complete scan of the same list, and the same finding."""
    hosts = {host["host"]: host for host in reporter.ask("/v1/hosts?limit=100")[1]["hosts"]}
    assert set(hosts) == {f"host-{number}" for number in range(1, CLIENTS)}
    scans = [host["lastScan"] for host in hosts.values()]
    assert all(scan["complete"] for scan in scans)
    assert {scan["served"] for scan in scans} == {VULNERABILITIES}
    assert len({scan["digest"] for scan in scans}) == 1
    assert len({scan["revision"] for scan in scans}) == 1
    findings = reporter.ask(f"/v1/hosts/{next(iter(hosts))}/findings")[1]["vulnerabilities"]
    assert findings
    assert {finding["installed"]["name"] for finding in findings} == {"sudo"}
