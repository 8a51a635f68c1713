"""
The cost of a scan for its host, in fresh processes: seconds, CPU time and peak memory, beside debsecan.

python -m benchmarks.host [--records 40000 200000] [--times 5] [--only patches|debsecan]

Then a process on each core that is always busy runs beside scans at niceness 0 and 10: how much they lose.

The packages are those of this host's dpkg. A made-up list, of which every twelfth record names one of them, is served
on loopback: by a patches-server over plain HTTP and over TLS, and in debsecan's format by a plain web server. Every
record has what enriching sources add. Needs debsecan and python3-apt.
"""

from __future__ import annotations

import argparse
import contextlib
import http.server
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from attrs import frozen

from benchmarks.processes import free_port, patches_server, process
from patches.scanner.inventory import Package, read_inventory
from patches.vulnerability import FixedPackage, Severity, Vulnerability
from patches.wire import encode_line
from tests.chaos.certificates import trusting, write_certificate

PATCHES = str(Path(sys.executable).with_name("patches"))
DEBSECAN = "/usr/bin/debsecan"
STATUS = Path("/var/lib/dpkg/status")
#: One record in this number names an installed package: as many as in Debian's tracker for a host of 710 packages.
EACH = 12
_VECTOR = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"
_URGENCIES = " LMH"
#: A small process that starts the measured one: the peak of a process is at least that of the one it was forked from.
_STARTER = """
import os, sys, time
null = os.open(os.devnull, os.O_WRONLY)
started = time.perf_counter()
actions = [(os.POSIX_SPAWN_DUP2, null, 1), (os.POSIX_SPAWN_DUP2, null, 2)]
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=actions)
_, status, used = os.wait4(pid, 0)
seconds, cpu = time.perf_counter() - started, used.ru_utime + used.ru_stime
print([os.waitstatus_to_exitcode(status), seconds, cpu, used.ru_maxrss])
"""


@frozen
class Cost:
    """
    The cost of one process.

    :ivar seconds: from its start to its end.
    :ivar cpu: its user and system time, in seconds.
    :ivar mib: its peak resident memory, in MiB.
    """

    seconds: float
    cpu: float
    mib: float

    @classmethod
    def of(cls, command: Sequence[str], **environment: str) -> Cost:
        """Run a command in a fresh process. Return what it costs."""
        starter = [sys.executable, "-I", "-S", "-c", _STARTER, *command]
        run = subprocess.run(starter, env={**os.environ, **environment}, capture_output=True, text=True, check=True)
        code, seconds, cpu, kib = json.loads(run.stdout)
        if code not in (0, 1):  # 1: there are findings
            raise RuntimeError(f"{command[0]} ended with {code}")
        return cls(seconds, cpu, kib / 1024)

    @classmethod
    def median(cls, times: int, command: Sequence[str], **environment: str) -> Cost:
        """Return the medians of several runs."""
        costs = [cls.of(command, **environment) for _ in range(times)]
        columns = zip(*((each.seconds, each.cpu, each.mib) for each in costs), strict=True)
        return cls(*(statistics.median(column) for column in columns))

    def row(self, name: str) -> str:
        """Return a row of the table."""
        return f"{name:34} {self.seconds:>8.2f} {self.cpu:>8.2f} {self.mib:>9.1f}"


def made_up(packages: Sequence[Package], count: int) -> Iterator[Vulnerability]:
    """Yield a list: records about installed source packages, a tenth of them not fixed, among others."""
    chance = random.Random(15)
    installed = sorted({(each.source, each.source_version) for each in packages})
    for number in range(count):
        name = f"CVE-{2005 + number % 20}-{number:05d}"
        if number % EACH == 0:
            package, version = chance.choice(installed)
            fixed = None if chance.random() < 0.1 else version if chance.random() < 0.95 else f"{version}.1"
        else:
            package, fixed = f"package-{chance.randrange(3000)}", f"1:{number % 97}.{number % 13}-{number % 5}+deb12u1"
        yield Vulnerability(
            name,
            "debian-12",
            (FixedPackage(package, fixed, status="affected" if fixed is None else "fixed"),),
            Severity(2 + number % 4),
            f"https://security-tracker.debian.org/tracker/{name}",
            source="made-up",
            published="2024-05-01T10:15:08Z",
            title="A flaw in the way that it parses a header lets a remote attacker read beyond the buffer.",
            cvss=_VECTOR,
            severity_source="nvd",
            score=7.5,
            kev="2024-06-01" if number % 200 == 0 else None,
            epss=0.1 * (number % 10),
        )


def debsecan_feed(vulnerabilities: Sequence[Vulnerability]) -> bytes:
    """Return the same list in debsecan's format; a title has the length that those of Debian's tracker have."""
    title = "A flaw in the way that it parses a header lets a remote attacker read beyond the buffer ..."
    names = "".join(f"{each.name},,{title}\n" for each in vulnerabilities)
    lines = []
    for number, each in enumerate(vulnerabilities):
        (fixed,) = each.fixed_in
        flag = "F" if fixed.version else " "
        lines.append(f"{fixed.name},{number},S{_URGENCIES[number % 4]}R{flag},{fixed.version or ''},\n")
    return zlib.compress(f"VERSION 1\n{names}\n{''.join(lines)}\n\n".encode())


@contextlib.contextmanager
def web_server(content: bytes) -> Iterator[str]:
    """Serve the same bytes at every path until the block ends. Yield the URL."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@contextlib.contextmanager
def servers(folder: Path, listed: Path) -> Iterator[dict[str, str]]:
    """Run a server for each protocol. Yield their URLs by what they speak."""
    plain, secure = free_port(), free_port()
    tls = f"ssl:{secure}:interface=127.0.0.1{write_certificate(folder)}"
    with contextlib.ExitStack() as stack:
        for port, listen in ((plain, None), (secure, tls)):
            state = folder / f"state-{port}"
            state.mkdir()
            command = patches_server(state, port, listed)
            if listen is not None:
                command[command.index("--listen") + 1] = listen
            stack.enter_context(process(command, port))
        urls = {"plain HTTP": f"http://127.0.0.1:{plain}", "TLS": f"https://127.0.0.1:{secure}"}
        for url in urls.values():
            _wait_until_ready(url)
        yield urls


def _wait_until_ready(url: str) -> None:
    import urllib.error
    import urllib.request

    for _ in range(1200):
        with contextlib.suppress(urllib.error.URLError), urllib.request.urlopen(f"{url}/ready", context=trusting()):
            return
        time.sleep(0.1)
    raise RuntimeError("the server does not get ready")


def write_host(folder: Path) -> None:
    """Write a root folder that has this host's packages, on a Debian 12."""
    (folder / "etc").mkdir(parents=True)
    (folder / "etc/os-release").write_text('ID=debian\nVERSION_ID="12"\n')
    (folder / "var/lib/dpkg").mkdir(parents=True)
    shutil.copyfile(STATUS, folder / "var/lib/dpkg/status")


@contextlib.contextmanager
def busy_processes() -> Iterator[list[int]]:
    """Run a process on each core that is always busy, until the block ends. Yield their ids."""
    started = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)]
    try:
        time.sleep(1)
        yield [each.pid for each in started]
    finally:
        for each in started:
            each.kill()
            each.wait()


def beside(command: Sequence[str], times: int) -> None:
    """
    Print how much of the machine scans of some niceness take from busy processes, and how long the scans last.

    Where every core is busy, what a scan gets is what the others lose.
    """
    starter = shutil.which("nice") or "nice"
    with busy_processes() as pids:
        for nice in (0, 10):
            cost = Cost.median(times, [starter, "-n", str(nice), *command])
            lost = 100 * cost.cpu / (cost.seconds * len(pids))
            print(
                f"    beside {len(pids)} busy processes, nice {nice}: they lose {lost:.0f} % for {cost.seconds:.2f} s"
            )


def phases(command: Sequence[str], **environment: str) -> dict[str, float]:
    """Run a scan in a profiled process. Return the seconds of CPU time of its parts."""
    watched = subprocess.run(
        [sys.executable, "-m", "benchmarks.host_phases", *command[1:]],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    found: dict[str, float] = json.loads(watched.stderr.splitlines()[-1])
    return found


def imports(command: Sequence[str]) -> float:
    """Return the seconds that a command spends on imports, as ``-X importtime`` tells them."""
    run = subprocess.run([sys.executable, "-X", "importtime", *command], capture_output=True, text=True, check=False)
    rows = (line.split("|") for line in run.stderr.splitlines() if line.startswith("import time:"))
    return sum(int(row[0].rpartition(":")[2]) for row in rows if row[0].rpartition(":")[2].strip().isdigit()) / 1e6


def measure(folder: Path, count: int, times: int, only: str | None) -> None:
    """Measure scans of a list of some length, and print the rows of the table."""
    packages = read_inventory(folder / "host", "dpkg").packages
    vulnerabilities = sorted(made_up(packages, count), key=lambda each: each.name)
    place = folder / str(count)
    place.mkdir()
    (place / "list.ndjson").write_bytes(b"".join(map(encode_line, vulnerabilities)))
    print(f"\n{len(packages)} packages, {count:,} records")
    print(f"{'':34} {'seconds':>8} {'CPU s':>8} {'peak MiB':>9}")
    if only != "debsecan":
        with servers(place, place / "list.ndjson") as urls:
            for name, url in urls.items():
                words = [PATCHES, "scan", "--patches-server", url, "--root", str(folder / "host")]
                words += ["--quiet"]
                trust = {"SSL_CERT_FILE": str(place / "certificate.pem")}
                print(Cost.median(times, words, **trust).row(f"patches scan, {name}"), flush=True)
                parts = phases(words, **trust)
                print("    CPU: " + ", ".join(f"{part} {seconds:.2f}" for part, seconds in parts.items()))
                if name == "plain HTTP":
                    print(f"    imports, with their measurement: {imports(words):.2f} s")
                    beside(words, times)
    if only != "patches" and Path(DEBSECAN).exists():
        with web_server(debsecan_feed(vulnerabilities)) as url:
            words = [DEBSECAN, "--source", url, "--suite", "bookworm", "--status", str(STATUS)]
            print(Cost.median(times, words).row("debsecan"), flush=True)


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, nargs="+", default=[40_000, 200_000])
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--only", choices=("patches", "debsecan"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="patches-host-") as name:
        folder = Path(name)
        write_host(folder / "host")
        if options.only != "debsecan":
            print(Cost.median(options.times, [PATCHES, "--help"]).row("patches --help"))
        for count in options.records:
            measure(folder, count, options.times, options.only)


if __name__ == "__main__":
    main()
