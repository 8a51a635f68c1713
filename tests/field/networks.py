"""
Firewalls that forget a connection, and networks that go and come, under real daemons.

The promise: packets that are dropped for some seconds, in a long poll or in a chunk, cost a scan some time and nothing
else; dropped for ever, they make it incomplete within its time-out. A scanner whose own network comes back scans at
once.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from random import Random

from tests import processes
from tests.chaos.attack import Outcome, program
from tests.field.namespaces import Forwarder, dropped, start_network, tool
from tests.integration.daemons import PATCHES, SCANNER, Daemon, wait_for
from tests.integration.readers import Reader
from tests.integration.sample_host import write_host
from tests.integration.sample_lists import write_list

FINDINGS, INCOMPLETE = 1, 3
#: The time-out of a scan whose packets are dropped for ever, in seconds.
TIMEOUT = 20
ADDRESS = "10.77.0.1"


def _scan(root: Path, port: int, *options: str) -> subprocess.Popen[bytes]:
    command = [PATCHES, "scan", "--root", root, "--patches-server", f"http://127.0.0.1:{port}", "--quiet", *options]
    command += ["--format", "json"]
    return processes.start(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def _firewall(where: str, seconds: int, start: Callable[[], tuple[Daemon, Path, Callable[[], None]]]) -> Outcome:
    """
    Drop the packets of a scan.

    :param seconds: for how long; 0: for ever.
    :param start: returns a server, a host, and what to call when the packets pass again.
    """
    server, root, release = start()
    try:
        began = time.monotonic()
        scanning = _scan(root, server.port, "--timeout", f"{TIMEOUT if not seconds else 120}s")
        wait_for(
            lambda: (
                server.metric(f'patches_sessions{{platform="debian-12",state="{where}"}}') >= 1 + (where == "active")
            ),
            30,
        )
        with dropped(server.port):
            if seconds:
                time.sleep(seconds)
            else:
                scanning.wait(TIMEOUT + 30)
        release()
        _, errors = scanning.communicate(timeout=150)
        took = time.monotonic() - began
        wrong = "Traceback" in errors.decode("utf-8", "replace") + server.text()
    finally:
        server.stop()
    right = FINDINGS if seconds else INCOMPLETE
    in_time = took <= (TIMEOUT + 5 if not seconds else seconds + 40)
    return Outcome(
        f"scanner: a firewall that drops in a {'long poll' if where == 'queued' else 'chunk'}"
        + (" costs time only" if seconds else " for ever makes the scan incomplete"),
        f"all packets of the server dropped for {f'{seconds} s' if seconds else 'ever'}",
        f"exit code {scanning.returncode} after {took:.1f} s",
        scanning.returncode == right and in_time and not wrong,
    )


def _queued(folder: Path) -> tuple[Daemon, Path, Callable[[], None]]:
    """Start a server whose only place is taken, by a reader that reads nothing until it is released."""
    feed = write_list(folder / "list.ndjson", 2000)
    options = ("--list", str(feed), "--max-active", "1", "--session-timeout", "100", "--chunk-timeout", "100")
    server = Daemon("patches-server", folder / "server", *options).start()
    server.wait_until_ready()
    holder = Reader(server.port, "debian-12")
    root = write_host(folder / "host", "debian", "12", {f"package-{n}": "1:0-0" for n in range(20)})
    return server, root, lambda: server.ask(f"/v1/sessions/{holder.token}", "DELETE") and None


def _reading(folder: Path) -> tuple[Daemon, Path, Callable[[], None]]:
    """Start a server with a long list; a reader that does not read keeps the scan from being through too soon."""
    feed = write_list(folder / "list.ndjson", 150_000)
    server = Daemon("patches-server", folder / "server", "--list", str(feed), "--chunk-timeout", "5").start()
    server.wait_until_ready()
    Reader(server.port, "debian-12")
    installed = {f"package-{n}": "1:0-0" if n < 5 else "99:0-0" for n in range(500)}
    return server, write_host(folder / "host", "debian", "12", installed), lambda: None


def comes_back(folder: Path) -> Outcome:
    """Take the network of a scanner away until its scans have failed, and give it back."""
    with ExitStack() as stack:
        feed = write_list(folder / "list.ndjson", 2000)
        server = Daemon("patches-server", folder / "server", "--list", str(feed)).start()
        stack.callback(server.stop)
        server.wait_until_ready()
        forwarder = Forwarder(server.port)
        stack.callback(forwarder.close)
        root = write_host(folder / "host", "debian", "12", {f"package-{n}": "1:0-0" for n in range(20)})
        log = folder / "scanner.log"
        command = [*SCANNER, "--root", root, "--patches-server", f"http://{ADDRESS}:{forwarder.port}"]
        command += ["--state-dir", folder / "state"]
        with log.open("wb") as file:
            stack.enter_context(processes.running([*command], stdout=file, stderr=file))
        wait_for(lambda: "incomplete" in log.read_text(), 60)
        time.sleep(2)  # it pauses now, for up to a minute
        failed = log.read_text().count("incomplete")
        tool("ip", "link", "add", "field0", "type", "veth", "peer", "name", "field1")
        tool("ip", "address", "add", f"{ADDRESS}/24", "dev", "field0")
        for name in ("field0", "field1"):
            tool("ip", "link", "set", name, "up")
        began = time.monotonic()
        wait_for(lambda: "20 packages" in log.read_text(), 70)
        took = time.monotonic() - began
        text = log.read_text()
    return Outcome(
        "scanner: a scan starts at once when the network returns",
        f"an interface that comes after {failed} failed scans",
        f"complete after {took:.1f} s",
        took <= 10 and "Traceback" not in text,
    )


def attack(rng: Random, folder: Path, seconds: int) -> list[Outcome]:
    """
    Drop packets and take networks away.

    :param seconds: for how long packets are dropped.
    """
    start_network()
    folder = folder.absolute()
    found = []
    for name, where, start in (("queue", "queued", _queued), ("chunk", "active", _reading)):
        for number, dropping in enumerate((seconds, 0)):
            place = folder / f"{name}-{number}"
            place.mkdir(parents=True)
            found.append(_firewall(where, dropping, lambda place=place, start=start: start(place)))  # type: ignore[misc]
    (folder / "back").mkdir()
    return [*found, comes_back(folder / "back")]


if __name__ == "__main__":
    program(__doc__, attack, seconds=6)
