"""
A list with more findings than the memory of the daemon can hold, which the kernel refuses it.

The promise: the daemon lives, and each scan is reported, with the verdict *error* and the reason.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Any

from patches.server.catalogue.chunks import cut_chunks
from tests.chaos.attack import Outcome, program
from tests.chaos.many_findings import ListServer, lines
from tests.chaos.measured import run_measured
from tests.chaos.scripted_server import Request, ScriptedServer, document
from tests.integration.daemons import TWISTD
from tests.integration.sample_host import write_host


def attack(rng: Random, folder: Path, data_mib: int, findings: int, seconds: int) -> Outcome:
    """
    Scan again and again with a lower wall than usual, so that few findings are too many.

    :param data_mib: the memory for the data of the daemon.
    :param seconds: how long the daemon runs.
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
        ran = run_measured(command, folder / "daemon", seconds)
    told = [(scan["verdict"], scan["problem"]) for scan in scans]
    holds = bool(told) and {verdict for verdict, _ in told} == {"error"} and ran.code == -9
    return Outcome(
        f"daemon: lives and reports at {data_mib} MiB for its data",
        f"{findings:,} findings, {seconds} s",
        f"{len(told)} reports, {ran.peak_mib:.0f} MiB resident",
        holds,
        (*map(str, told[:2]), *(() if holds else (ran.output[-2000:],))),
    )


if __name__ == "__main__":
    program(__doc__, attack, data_mib=96, findings=200_000, seconds=90)
