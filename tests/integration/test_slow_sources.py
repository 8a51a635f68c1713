"""A short list beside a Clair that is slow, or that fails: it is served at once, and the server stops at once."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import processes
from tests.integration.daemons import Daemon, wait_for
from tests.integration.loopback import LOOPBACK, URL_HOST
from tests.integration.sample_lists import write_list


@pytest.fixture
def clair(tmp_path: Path) -> Iterator[int]:
    """The port of a Clair with a thousand vulnerabilities, each answer of which takes a fifth of a second."""
    records = ({"Name": f"CVE-2020-{number}"} for number in range(1000))
    path = tmp_path / "records.gz"
    path.write_bytes(gzip.compress("".join(json.dumps(each) + "\n" for each in records).encode()))
    command = [
        sys.executable,
        "-m",
        "patches.testing.clair",
        "--interface",
        LOOPBACK,
        "--delay",
        "0.2",
        "--load",
        f"debian:10={path}",
    ]
    with processes.running(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as double:
        assert double.stdout is not None
        yield int(double.stdout.readline())
        double.stdout.close()


def server_beside(folder: Path, clair: int) -> Daemon:
    """Create a server with a file of 23 vulnerabilities, and a Clair."""
    path = write_list(folder / "short.ndjson", 23)
    return Daemon("patches-server", folder / "state", "--list", str(path), "--clair", f"http://{URL_HOST}:{clair}")


def seconds_until_served(server: Daemon) -> float:
    """Start a server. Return the seconds until the list of the file is served."""
    started = time.monotonic()
    server.start()
    wait_for(lambda: server.ask("/ready?platform=debian-12")[0] == 200, 60)
    return time.monotonic() - started


def seconds_until_stopped(server: Daemon) -> float:
    """Stop a server, which must end with exit code 0. Return the seconds that takes."""
    stopping = time.monotonic()
    assert server.stop() == 0
    return time.monotonic() - stopping


def test_slow_source(tmp_path: Path, clair: int) -> None:
    """The short list is served within seconds, long before the slow Clair is read; a stop does not wait for it."""
    server = server_beside(tmp_path, clair)
    served = seconds_until_served(server)
    status, ready = server.ask("/ready")
    assert (status, ready["missing"], ready["problem"]) == (200, ["debian-10"], None)
    stopped = seconds_until_stopped(server)
    print(f"slow Clair: 23 records served after {served:.1f} s; SIGTERM {stopped:.1f} s")
    assert served < 10
    assert stopped < 5


def test_failing_source(tmp_path: Path) -> None:
    """Beside a Clair that cannot be reached the short list is served within seconds, and the failure is told."""
    server = server_beside(tmp_path, 1)
    served = seconds_until_served(server)
    stopped = seconds_until_stopped(server)
    print(f"no Clair: 23 records served after {served:.1f} s; SIGTERM {stopped:.1f} s")
    assert served < 20
    assert stopped < 5
