"""
A list with more findings than the memory of the daemon can hold, which the kernel refuses it.

The promise: the daemon lives, and each scan is reported, with the verdict *error* and the reason.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Any

from patches.server.catalogue.chunks import cut_chunks
from tests import processes
from tests.chaos.attack import Outcome, program
from tests.chaos.load.many_findings import ListServer, lines
from tests.chaos.peers.scripted_server import Request, ScriptedServer, document
from tests.integration.daemons import TWISTD
from tests.integration.sample_host import write_host


def attack(rng: Random, folder: Path, data_mib: int, findings: int, reports: int, seconds: int) -> Outcome:
    """
    Scan again and again with a lower wall than usual, so that few findings are too many.

    :param data_mib: the memory for the data of the daemon.
    :param reports: the number of reports that are waited for.
    :param seconds: the longest time for that.
    """
    root = write_host(folder / "host", "debian", "12", {f"package-{n}": "1.0-1" for n in range(100)})
    server = ListServer(list(cut_chunks(lines(rng, findings, 100, findings))))
    scans: list[dict[str, Any]] = []

    def answer(request: Request) -> Iterable[bytes]:
        if request.path != "/reports":
            return server.answer(request)
        scans.append(json.loads(request.body)["scan"])
        return [document(200, {})]

    with ScriptedServer(answer) as web:
        command = [shutil.which("prlimit") or "prlimit", f"--data={data_mib << 20}", TWISTD, "--nodaemon", "--pidfile="]
        command += ["patches-scanner", "--patches-server", web.url, "--root", root.resolve(), "--state-dir", "state"]
        command += ["--reporter", f"{web.url}/reports", "--scan-frequency", "1s", "--jitter", "1s"]
        folder.joinpath("daemon").mkdir()
        with (folder / "log").open("wb") as log:
            daemon = processes.start(command, stdout=log, stderr=log, cwd=folder / "daemon")
        end = time.monotonic() + seconds
        while len(scans) < reports and daemon.poll() is None and time.monotonic() < end:
            time.sleep(0.1)
        lives = daemon.poll() is None
        processes.end(daemon)
    told = [(scan["verdict"], scan["problem"]) for scan in scans]
    holds = lives and len(told) >= reports and {verdict for verdict, _ in told} == {"error"}
    return Outcome(
        f"daemon: lives and reports at {data_mib} MiB for its data",
        f"{findings:,} findings, {reports} reports awaited",
        f"{len(told)} reports, {'lives' if lives else 'ended'}",
        holds,
        (*map(str, told[:2]), *(() if holds else ((folder / "log").read_text()[-2000:],))),
    )


if __name__ == "__main__":
    program(__doc__, attack, data_mib=96, findings=200_000, reports=5, seconds=300)
