"""A server that is restarted under scans that are starting: whoever finds nobody there waits, and completes."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

from tests import processes
from tests.integration.daemons import PATCHES, Daemon
from tests.integration.loopback import URL_HOST
from tests.integration.sample_host import write_host
from tests.integration.sample_lists import write_list

SCANS = 20


def test_starting(tmp_path: Path) -> None:
    """Some of twenty scans begin before the server is there, some while it is killed and started again."""
    feed = write_list(tmp_path / "list.ndjson", 3000)
    server = Daemon("patches-server", tmp_path / "server", "--list", str(feed)).start()
    root = write_host(tmp_path / "host", "debian", "12", {"package-1": "1:0-1"})
    url = f"http://{URL_HOST}:{server.port}"
    command = [PATCHES, "scan", "--root", root, "--patches-server", url, "--format", "json", "--patience", "2m"]
    running: list[subprocess.Popen[bytes]] = []

    def begin(number: int) -> None:
        for _ in range(number):
            log = tmp_path / f"{len(running)}.log"
            with log.open("wb") as errors, log.with_suffix(".json").open("wb") as output:
                running.append(processes.start([str(word) for word in command], stdout=output, stderr=errors))

    try:
        server.wait_until_ready()
        server.kill()
        begin(SCANS // 2)
        time.sleep(1.5)  # some have asked, and found nobody
        server.start(server.port)
        begin(SCANS // 2)
        time.sleep(0.7)
        server.kill()
        time.sleep(1)
        server.start(server.port)
        for number, scan in enumerate(running):
            code, log = scan.wait(120), tmp_path / f"{number}.log"
            assert code in (0, 1), log.read_text()
            document = json.loads(log.with_suffix(".json").read_bytes())
            assert (document["verdict"], document["list"]["vulnerabilities"]) == ("findings", 3000), document
        waited = [
            number for number in range(SCANS) if "Waiting for the server" in (tmp_path / f"{number}.log").read_text()
        ]
        assert waited, "nobody had to wait"
    finally:
        for scan in running:
            processes.end(scan)
        server.stop()
