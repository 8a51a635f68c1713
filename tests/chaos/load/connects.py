"""
Thousands of connections within a second: none of them may be dropped by the kernel, and tried again a second later.

The figures are those of the kernel, for the whole machine: connections that found the queue of a listener full.
"""

from __future__ import annotations

import select
import socket
import time
from contextlib import suppress
from pathlib import Path
from random import Random

from tests.chaos.attack import Outcome, program
from tests.chaos.watch import allow_sockets
from tests.integration.daemons import Daemon
from tests.integration.sample_lists import write_list

#: The connects are spread over this time, in seconds: all at once are more than the kernel's own limit (somaxconn).
_WITHIN = 0.8


def overflows() -> int:
    """Return how many connections found the queue of a listener full, or were dropped there, so far (Linux)."""
    names, values = (
        line.split() for line in Path("/proc/net/netstat").read_text().splitlines() if line.startswith("TcpExt:")
    )
    found = dict(zip(names, values, strict=True))
    return int(found["ListenOverflows"]) + int(found["ListenDrops"])


def attack(random: Random, folder: Path, connections: int = 5_000) -> Outcome:
    """Open so many connections as fast as possible."""
    connections = allow_sockets(connections)
    server = Daemon("patches-server", folder / "server", "--list", str(write_list(folder / "list.ndjson", 100))).start()
    try:
        server.wait_until_ready()
        before, began = overflows(), time.monotonic()
        poll, opened = select.epoll(), []
        for number in range(connections):
            time.sleep(max(0.0, began + _WITHIN * number / connections - time.monotonic()))
            connection = socket.socket()
            connection.setblocking(False)
            with suppress(BlockingIOError):
                connection.connect(("127.0.0.1", server.port))
            opened.append(connection)
            poll.register(connection, select.EPOLLOUT | select.EPOLLONESHOT)
        sent, connected, latest = time.monotonic() - began, 0, 0.0
        while connected < connections and time.monotonic() - began < 10:
            for _ in poll.poll(0.1, 1000):
                connected, latest = connected + 1, time.monotonic() - began
        dropped = overflows() - before
        for connection in opened:
            connection.close()
    finally:
        server.stop()
    return Outcome(
        "server: no connection is dropped by the kernel",
        f"{connections:,} connects within {sent:.2f} s",
        f"{dropped} dropped, the last was made after {latest:.2f} s",
        dropped == 0 and connected == connections and latest < max(1.0, sent + 0.5),
    )


if __name__ == "__main__":
    program(__doc__, attack, connections=5_000)
