"""
Whole delivery: a thousand scanners and more read a list at the same time.

The server has one core, the simulated fleet of ``patches simulate`` the other; one of fifty scanners verifies every
digest. The list is in the server's window before the first of them begins, as it is on a server that runs.

.venv/bin/python -m benchmarks.deliver [SCANNERSxVULNERABILITIES …]
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.processes import cpu_seconds, free_port, patches_server, peak_mib, process, wait_until_ready, write_list

CASES = ("1000x40000", "1000x200000", "5000x40000", "5000x200000")
OPTIONS = os.environ.get("OPTIONS", "").split()
PATCHES = str(Path(sys.executable).with_name("patches"))


def deliver(port: int, scanners: int) -> dict[str, float]:
    """Simulate scanners that read the list at the same time. Return the summary."""
    command = [PATCHES, "simulate", "--server", f"http://127.0.0.1:{port}", "--scanners", str(scanners)]
    found = subprocess.run(
        [*command, "--format", "json"],
        capture_output=True,
        check=False,
        preexec_fn=lambda: os.sched_setaffinity(0, {1}),
    )
    if found.returncode:
        raise RuntimeError(found.stdout.decode() + found.stderr.decode())
    summary: dict[str, float] = json.loads(found.stdout)
    return summary


def run(scanners: int, vulnerabilities: int, folder: Path) -> str:
    """Measure one case. Return its row."""
    path, port = folder / f"{vulnerabilities}.ndjson", free_port()
    if not path.exists():
        write_list(path, vulnerabilities)
    state = folder / f"state-{scanners}-{vulnerabilities}"
    with process(patches_server(state, port, path, *OPTIONS), port, core=0) as pid:
        wait_until_ready(port)
        deliver(port, 1)
        before = cpu_seconds(pid)
        found = deliver(port, scanners)
        used, peak = cpu_seconds(pid) - before, peak_mib(pid)
    chunks = round(found["chunks"] / scanners)
    return (
        f"{scanners:8} {vulnerabilities:15} {chunks:6} {found['seconds']:8.2f} {used:10.2f} {peak:9.0f} "
        f"{found['p50']:6.2f} {found['p99']:6.2f} {found['max']:6.2f} {found['denials']:7.0f} {found['verified']:8.0f}"
    )


def main() -> None:
    """Run the benchmark and print a table."""
    print("scanners vulnerabilities chunks  seconds server CPU  peak MiB    p50    p99    max denials verified")
    with tempfile.TemporaryDirectory() as folder:
        for case in sys.argv[1:] or CASES:
            scanners, _, vulnerabilities = case.partition("x")
            print(run(int(scanners), int(vulnerabilities), Path(folder)), flush=True)


if __name__ == "__main__":
    main()
