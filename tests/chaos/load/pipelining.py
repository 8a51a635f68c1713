"""
Pipelining by thousands of connections: how long it takes until an honest client on a new connection is answered.

All connections send tens of requests at the same moment, read the answers, and then send as many again.
"""

from __future__ import annotations

import http.client
import multiprocessing
import select
import socket
import statistics
import time
from contextlib import suppress
from pathlib import Path
from random import Random

from tests.chaos.attack import Outcome, program
from tests.chaos.watch import allow_sockets
from tests.integration.daemons import Daemon
from tests.integration.sample_lists import write_list

#: What is asked for.
PATHS = ("/health", "/v1/sessions/absent", "/absent", "//x")
#: The longest time that an honest request may take, in seconds.
LONGEST = 1.0


class Pipeliner:
    """
    One connection that never blocks.

    :ivar unanswered: how many of its requests are not yet answered.
    """

    def __init__(self, port: int, paths: list[str]) -> None:
        self._batch = "".join(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n" for path in paths).encode()
        self._count = len(paths)
        self.unanswered = 0
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.socket.setblocking(False)

    def send(self) -> None:
        """Send all requests."""
        self.unanswered = self._count
        self.socket.send(self._batch)

    def read(self) -> int:
        """Read what there is. Return the number of answers."""
        found = self.socket.recv(65536).count(b"HTTP/1.1 ")
        if not found:
            raise ConnectionError
        self.unanswered -= found
        return found


def flood(port: int, seed: int, connections: int, end: float, told: multiprocessing.Queue[int]) -> None:
    """Send salvos over so many connections until a time of the monotonic clock; tell the number of answers."""
    random, poll, answered = Random(seed), select.epoll(), 0
    clients: dict[int, Pipeliner] = {}
    for _ in range(connections):
        with suppress(OSError):
            client = Pipeliner(port, [random.choice(PATHS)] * random.randint(30, 60))
            clients[client.socket.fileno()] = client
            poll.register(client.socket, select.EPOLLIN)
    while time.monotonic() < end and clients:
        for client in clients.values():
            with suppress(OSError):
                client.send()
        missing = sum(client.unanswered for client in clients.values())
        while time.monotonic() < end and missing > 0:
            for descriptor, _ in poll.poll(0.1, 1000):
                try:
                    found = clients[descriptor].read()
                    answered, missing = answered + found, missing - found
                except OSError:
                    missing -= clients[descriptor].unanswered
                    poll.unregister(descriptor)
                    clients.pop(descriptor).socket.close()
    told.put(answered)


def honest(port: int, end: float) -> tuple[list[float], list[str]]:
    """Ask for ``/health`` on one new connection after the other. Return the seconds of each, and what went wrong."""
    seconds, failed = [], []
    while time.monotonic() < end:
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("GET", "/health")
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                failed.append(f"status {answer.status}")
        except (OSError, http.client.HTTPException) as error:
            failed.append(repr(error))
        finally:
            connection.close()
        seconds.append(time.monotonic() - began)
        time.sleep(0.05)
    return seconds, failed


def attack(random: Random, folder: Path, connections: int = 1_500, seconds: int = 15) -> Outcome:
    """Pipeline over so many connections for some time."""
    connections = allow_sockets(connections)
    server = Daemon("patches-server", folder / "server", "--list", str(write_list(folder / "list.ndjson", 1_000)))
    server.start()
    told: multiprocessing.Queue[int] = multiprocessing.Queue()
    try:
        server.wait_until_ready()
        began = time.monotonic()
        end = began + seconds + connections / 1_000
        crowd = multiprocessing.Process(
            target=flood, args=(server.port, random.randrange(1 << 30), connections, end, told)
        )
        crowd.start()
        time.sleep(0.5)
        found, failed = honest(server.port, end)
        answered = told.get(timeout=60)
        crowd.join(60)
        assert "Traceback" not in server.text(), server.text()[-2000:]
    finally:
        server.stop()
    return Outcome(
        f"server: an honest request is answered within {LONGEST:g} s",
        f"{connections:,} connections that pipeline for {seconds} s",
        f"{max(found):.2f} s, {statistics.median(found):.2f} s in the middle",
        max(found) <= LONGEST and not failed,
        (f"{len(found)} honest requests, failed: {failed[:3]}", f"{answered:,} answers to the others"),
    )


if __name__ == "__main__":
    program(__doc__, attack, connections=1_500, seconds=15)
