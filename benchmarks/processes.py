"""Server processes for the benchmarks: started on a free port, pinned to a core, measured and stopped."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from patches.vulnerability import FixedPackage, Severity, Vulnerability
from patches.wire import encode_line
from tests import processes

TWISTD = str(Path(sys.executable).with_name("twistd"))


def write_list(path: Path, vulnerabilities: int, platform: str = "debian-12") -> None:
    """Write a made-up list in the wire format: 500 packages, names and versions of the usual length."""
    with path.open("wb") as file:
        for number in range(vulnerabilities):
            package = FixedPackage(
                f"package-{number * 7919 % 500}", f"1:{number % 97}.{number % 13}-{number % 5}+deb12u1"
            )
            href = f"https://security-tracker.debian.org/tracker/CVE-2024-{number}"
            file.write(
                encode_line(
                    Vulnerability(
                        f"CVE-2024-{number}", platform, (package,), Severity(number % 7), href, source="made-up"
                    )
                )
            )


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def process(command: Sequence[str], port: int, core: int | None = None) -> Iterator[int]:
    """Run a server until the block ends; yield its pid once it listens."""
    pin = (lambda: os.sched_setaffinity(0, {core})) if core is not None else None
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with processes.running(command, preexec_fn=pin, **quiet) as running:
        _wait_for(port, running)
        yield running.pid


def _wait_for(port: int, running: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if running.poll() is not None:
            raise RuntimeError(f"the server ended with {running.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the server does not listen")


def patches_server(folder: Path, port: int, list_path: Path, *options: str) -> list[str]:
    """Return the command of a patches-server."""
    return [
        *(TWISTD, "--nodaemon", "--pidfile=", f"--logfile={folder / 'server.log'}", "patches-server"),
        *(
            "--listen",
            f"tcp:{port}:interface=127.0.0.1",
            "--state-dir",
            str(folder),
            "--list",
            str(list_path),
            "--no-public-sources",
        ),
        *options,
    ]


def wait_until_ready(port: int) -> None:
    """Wait until a patches-server has its lists."""
    for _ in range(600):
        if ask(port, "GET", "/ready")[0] == 200:
            return
        time.sleep(0.1)
    raise RuntimeError("the server does not get ready")


def ask(port: int, method: str, path: str, body: object = None) -> tuple[int, dict[str, object]]:
    """Send a request. Return the status and the JSON document of the response."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, path, json.dumps(body) if body is not None else None)
    answer = connection.getresponse()
    document = json.loads(answer.read() or b"{}")
    connection.close()
    return answer.status, document


def cpu_seconds(pid: int) -> float:
    """Return the user and system time of a process so far, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def family_mib(pid: int) -> float:
    """Return the resident memory of a process and of its children now, in MiB."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    children = [child for task in tasks for child in (task / "children").read_text().split()]
    total = 0
    for each in (str(pid), *children):
        with suppress(OSError, IndexError):  # it has ended meanwhile
            total += int(Path(f"/proc/{each}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return total / 2**20


def peak_mib(pid: int) -> float:
    """Return the peak resident memory of a process, in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise ValueError(pid)
