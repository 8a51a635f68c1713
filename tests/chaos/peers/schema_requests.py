"""
Requests that schemathesis makes from the server's own OpenAPI document, valid ones and others; nothing may be found.

It needs the command ``st``: ``pip install schemathesis``, in any environment on the path.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from random import Random

from tests.chaos.attack import Outcome, program
from tests.chaos.watch import Watch
from tests.integration.daemons import Daemon
from tests.integration.sample_lists import write_list

#: No schema says that a session may have ended, a body be too long, or that /vulns needs one of two parameters; and
#: OPTIONS is about a path, whether there is something or not.
_CONFIG = """
[checks]
positive_data_acceptance.expected-statuses = ["2xx", 401, 403, 404, 409, 410, 413, 429, "5xx"]
negative_data_rejection.expected-statuses = [400, 404, 405, 409, 410, 413, 414, 415, 422, 431, "5xx"]

[[operations]]
include-name = "GET /vulns"
checks.positive_data_acceptance.enabled = false

[[operations]]
include-method = "OPTIONS"
checks.negative_data_rejection.enabled = false
checks.use_after_free.enabled = false
"""


def attack(random: Random, folder: Path, seconds: int = 300, limit: int = 256) -> Outcome:
    """
    Run schemathesis against the server for some time, with all its checks.

    :param limit: the server's memory limit, in MiB.
    """
    command = shutil.which("st")
    if command is None:
        raise SystemExit("st is not installed: pip install schemathesis")
    path = write_list(folder / "list.ndjson", 2_000)
    options = ("--list", str(path), "--memory-limit", f"{limit}MiB")
    (folder / "schemathesis.toml").write_text(_CONFIG)
    server = Daemon("patches-server", folder / "server", *options).start()
    try:
        server.wait_until_ready()
        url = f"http://127.0.0.1:{server.port}/openapi.json"
        flags = ("--max-time", str(seconds), "--seed", str(random.randrange(2**32)), "--no-color")
        with Watch(server) as watch:
            ran = subprocess.run([command, "run", url, *flags], capture_output=True, text=True, cwd=folder)
        assert "Traceback" not in server.text(), server.text()[-2000:]
    finally:
        server.stop()
    tail = tuple(ran.stdout.strip().splitlines()[-400:])
    return Outcome(
        f"server: answers what its OpenAPI document says, resident ≤ {limit} MiB",
        f"schemathesis for {seconds} s",
        f"exit code {ran.returncode}, {watch.peak_mib:.0f} MiB",
        ran.returncode == 0 and watch.peak_mib <= limit,
        tail,
    )


if __name__ == "__main__":
    program(__doc__, attack, seconds=300, limit=256)
