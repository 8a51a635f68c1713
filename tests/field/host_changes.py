"""
A host that is upgraded to the next release, and one that is renamed, under a scanner's daemon that runs.

The promise: the reporter has the findings of the new release, or the new name, soon after the change has ended, and
never a complete report that compares the packages of one release with the list of another for longer than that.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

from tests import processes
from tests.chaos.attack import Outcome, program
from tests.field.namespaces import start_network, tool
from tests.integration.daemons import SCANNER, Daemon, wait_for
from tests.integration.sample_host import write_host
from tests.integration.sample_lists import write_list

PACKAGES = 40
#: The longest time from the end of a change to the report: the look every 10 s, the second that settles, the scan.
LONGEST = 25.0


class Site:
    """
    A server with two releases, a reporter, and a scanner's daemon.

    :ivar root: the root folder of the host.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        older = write_list(folder / "one", 500, "debian-12").read_bytes()
        newer = write_list(folder / "two", 2000, "debian-13").read_bytes()
        (folder / "list.ndjson").write_bytes(older + newer)
        self.server = Daemon("patches-server", folder / "server", "--list", str(folder / "list.ndjson")).start()
        self.reporter = Daemon("patches-reporter", folder / "reporter").start()
        installed = {f"package-{number}": "1:0-0" for number in range(PACKAGES)}
        self.root = write_host(folder / "host", "debian", "12", installed)
        self.log = folder / "scanner.log"
        self._command = [*SCANNER, "--root", str(self.root), "--patches-server", f"http://127.0.0.1:{self.server.port}"]
        self._command += ["--reporter", f"http://127.0.0.1:{self.reporter.port}/v1/reports", "--settle", "1s"]
        self._command += ["--state-dir", str(folder / "scanner")]

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run the scanner until the block ends."""
        self.server.wait_until_ready()
        try:
            with self.log.open("ab") as log, processes.running(self._command, stdout=log, stderr=subprocess.STDOUT):
                yield
        finally:
            self.server.stop()
            self.reporter.stop()

    def hosts(self) -> list[dict[str, Any]]:
        """Return the hosts of the reporter."""
        found: list[dict[str, Any]] = self.reporter.ask("/v1/hosts")[1]["hosts"]
        return found


def upgrade(folder: Path, rng: Random) -> Outcome:
    """Upgrade a host, as apt does: some packages, then what says the release, then the other packages."""
    site = Site(folder)
    with site.running():
        before = wait_for(site.hosts, 60)[0]
        status = site.root / "var/lib/dpkg/status"
        for step in range(4):
            if step == 1:
                (site.root / "etc/os-release").write_text("ID=debian\nVERSION_ID=13\n")
            text = status.read_text().replace("1:0-0", f"1:0-0+deb13u{step}", 10)
            status.with_name("status-new").write_text(text)
            status.with_name("status-new").replace(status)
            time.sleep(0.3 + rng.random())
        ended = time.monotonic()
        after = wait_for(
            lambda: [h for h in site.hosts() if h["platform"] == "debian-13" and h["complete"]], LONGEST + 30
        )
        seconds = time.monotonic() - ended
        (found,) = after
    right = found["lastScan"]["findings"] > before["lastScan"]["findings"] > 0
    return Outcome(
        "scanner: a release upgrade under a running daemon is noticed",
        "debian-12 to debian-13 in four steps",
        f"reported as {found['platform']} with {found['lastScan']['findings']} findings after {seconds:.1f} s",
        right and seconds <= LONGEST and "Traceback" not in site.log.read_text(),
        (f"before: {before['platform']}, {before['lastScan']['findings']} findings",),
    )


def rename(folder: Path, rng: Random) -> Outcome:
    """Rename a host."""
    new = f"renamed-{rng.randrange(1000)}"
    site = Site(folder)
    with site.running():
        before = wait_for(site.hosts, 60)[0]["host"]
        tool("hostname", new)
        ended = time.monotonic()
        wait_for(lambda: new in [host["host"] for host in site.hosts()], LONGEST + 30)
        seconds = time.monotonic() - ended
    return Outcome(
        "scanner: a renamed host reports its new name",
        f"{before} to {new}",
        f"reported after {seconds:.1f} s",
        seconds <= LONGEST,
    )


def attack(rng: Random, folder: Path) -> list[Outcome]:
    """Upgrade a host, then rename one."""
    start_network()
    folder = folder.absolute()
    return [upgrade(folder / "upgrade", rng), rename(folder / "rename", rng)]


if __name__ == "__main__":
    program(__doc__, attack)
