"""
Whole delivery: 1, 10, 100 and 1,000 scanners read a list of 40,000 vulnerabilities at the same time.

Every scanner is the real client, and verifies every chunk and the end. Up to 100 of them also decode every
vulnerability and compare it with the packages of a made-up host that has all of them, the worst case of a scan; with
1,000 scanners only the streams are verified, as one process would take too long to compare 40 million records. The
scanners share one process on one core; the server has another.

.venv/bin/python -m benchmarks.deliver [VULNERABILITIES]
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.processes import cpu_seconds, free_port, patches_server, peak_mib, process, wait_until_ready, write_list

SCANNERS = (1, 10, 100, 1000)
COMPARING = 100

CLIENTS = """
import sys, time
from twisted.internet.defer import gatherResults, ensureDeferred
from twisted.internet.task import react
from patches.scanner.client.client import PatchesClient
from patches.scanner.client.http_client import http_client
from patches.scanner.inventory import Inventory, Package
from patches.scanner.matching.matcher import Matcher

url, number, compare = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "compare"
PACKAGES = tuple(Package(f"package-{n}", "1:50.5-1", "amd64", f"package-{n}", "1:50.5-1") for n in range(500))

async def take(client):
    stream = client.stream("debian-12")
    if compare:
        matcher = Matcher(Inventory("dpkg", PACKAGES))
        findings = 0
        async for vulnerability in stream.naming(matcher.names):
            findings += sum(1 for finding in matcher.match(vulnerability))
    else:
        async for body in stream.bodies():
            pass
    return stream.complete, stream.served, stream.digest

def main(reactor):
    def done(results):
        assert len(set(results)) == 1 and results[0][0], set(results)
        status = open("/proc/self/status").read()
        peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
        print(results[0][1], time.perf_counter() - started, peak)
    started = time.perf_counter()
    clients = [PatchesClient(http_client(reactor), url, reactor) for _ in range(number)]
    return gatherResults([ensureDeferred(take(client)) for client in clients]).addCallback(done)

react(main)
"""


def main(vulnerabilities: int) -> None:
    """Measure and print."""
    print(
        f"{'scanners':>8} {'each':>10} {'seconds':>8} {'vulnerabilities/s':>18} {'server CPU s':>13} "
        f"{'server peak MiB':>16} {'scanners peak MiB':>18}"
    )
    for number in SCANNERS:
        with tempfile.TemporaryDirectory() as name:
            measure(Path(name), vulnerabilities, number)


def measure(folder: Path, vulnerabilities: int, number: int) -> None:
    """Measure a number of scanners against a fresh server."""
    write_list(folder / "list.ndjson", vulnerabilities)
    port = free_port()
    mode = "compares" if number <= COMPARING else "verifies"
    with process(patches_server(folder, port, folder / "list.ndjson"), port, core=0) as pid:
        wait_until_ready(port)
        before = cpu_seconds(pid)
        command = [sys.executable, "-c", CLIENTS, f"http://127.0.0.1:{port}", str(number), mode[:-1]]
        ran = subprocess.run(command, capture_output=True, text=True, preexec_fn=_second_core)
        if ran.returncode != 0:
            raise RuntimeError(ran.stderr[-2000:] + ran.stdout)
        served, seconds, peak = (float(value) for value in ran.stdout.split())
        if served != vulnerabilities:
            raise RuntimeError(f"{served} of {vulnerabilities} were served")
        cpu = cpu_seconds(pid) - before
        speed = number * vulnerabilities / seconds
        print(
            f"{number:>8} {mode:>10} {seconds:>8.2f} {speed:>18,.0f} {cpu:>13.2f} {peak_mib(pid):>16.0f} {peak:>18.0f}",
            flush=True,
        )


def _second_core() -> None:
    os.sched_setaffinity(0, {(os.cpu_count() or 1) - 1})


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40_000)
