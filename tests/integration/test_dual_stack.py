"""A host with an IPv6 address that does not answer, and an IPv4 address that does."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.chaos.lifecycle.slow_peers import FullBacklog
from tests.integration.daemons import PATCHES, Daemon
from tests.integration.loopback import IS_IPV6, has_ipv6
from tests.integration.sample_host import write_host
from tests.integration.sample_lists import write_list

#: Runs a program that finds the names of a file; the program keeps its number.
_OWN_HOSTS = 'mount --bind "$0" /etc/hosts && exec "$@"'


@pytest.mark.skipif(IS_IPV6 or not has_ipv6(), reason="needs both 127.0.0.1 and ::1")
@pytest.mark.skipif(
    os.getuid() != 0 or not shutil.which("unshare"), reason="only root can give a process its own names"
)
def test_falls_back(tmp_path: Path) -> None:
    """A scan by name takes a second more at most than one by the address that answers."""
    server = Daemon("patches-server", tmp_path / "server", "--list", str(write_list(tmp_path / "list.ndjson", 10)))
    server.start()
    names = tmp_path / "hosts"
    names.write_text("::1 patches.example\n127.0.0.1 patches.example\n")
    root = write_host(tmp_path / "host", "debian", "12", {"package-x": "1"})
    full = FullBacklog("::1", server.port)
    try:
        server.wait_until_ready()
        seconds = []
        for host in ("127.0.0.1", "patches.example"):
            scan = [str(PATCHES), "scan", "--root", str(root), "--patches-server", f"http://{host}:{server.port}"]
            command = ["unshare", "--mount", "sh", "-c", _OWN_HOSTS, str(names), *scan]
            began = time.monotonic()
            ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
            seconds.append(time.monotonic() - began)
            assert ran.returncode == 0, ran
        assert seconds[1] - seconds[0] < 1, seconds
    finally:
        full.close()
        assert server.stop() == 0
