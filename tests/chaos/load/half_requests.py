"""
Requests that never end, on thousands of connections: half heads with many fields, half bodies, endless lines.

The server must stay below its limit, give the memory back afterwards, and serve honest scans meanwhile.
"""

from __future__ import annotations

import select
import socket
import time
from contextlib import suppress
from pathlib import Path
from random import Random

from tests.chaos.attack import Outcome, program
from tests.chaos.watch import HonestScans, Watch, allow_sockets
from tests.integration.daemons import Daemon
from tests.integration.sample_lists import write_list


def half_head(random: Random) -> bytes:
    """Return a head of up to 490 fields and some 16 KB, without its end."""
    count = random.choice((8, 39, 120, 490))
    length = min(random.choice((8, 60, 250)), 15_500 // count - 12)
    fields = b"".join(b"X-%05d: %s\r\n" % (n, b"v" * max(1, length)) for n in range(count))
    return b"POST /v1/sessions HTTP/1.1\r\nHost: x\r\n" + fields


def half_body(random: Random) -> bytes:
    """Return a request that announces a body, and lacks the last byte of it."""
    length = random.choice((1_000, 1_024, 16_000))
    return b"POST /v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % length + b"{" * (length - 1)


def half_chunked(random: Random) -> bytes:
    """Return a request with a chunked body whose end is missing."""
    chunks = b"".join(b"10\r\n0123456789abcdef\r\n" for _ in range(random.choice((60, 900))))
    return b"POST /v1/sessions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks


def half_line(random: Random) -> bytes:
    """Return a request line, or a field, without end."""
    start = random.choice((b"GET /", b"GET / HTTP/1.1\r\nHost: x\r\nPrefer: "))
    return start + b"a" * random.choice((3_900, 16_000))


def half_query(random: Random) -> bytes:
    """Return a request line with thousands of parameters, and a head without end."""
    query = b"&".join(b"%x" % n for n in range(random.choice((31, 900))))
    return b"GET /v1/platforms?" + query + b" HTTP/1.1\r\nHost: x\r\n"


def largest_half(random: Random) -> bytes:
    """Return what holds the most memory within the ceilings: fields that are kept, and a body without its last byte."""
    name = random.choice((b"Prefer", b"X-Forwarded-For", b"X-Other"))
    fields = b"".join(b"%s: %s\r\n" % (name, b"%02d" % n * 40) for n in range(37))
    head = b"POST /v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Length: 1024\r\n" + fields + b"\r\n"
    return head + b"{" * random.choice((0, 1023))


def nothing(random: Random) -> bytes:
    """Return nothing: a connection that is opened only."""
    return b""


HALVES = (half_head, half_body, half_chunked, half_line, half_query, largest_half, nothing)


class Crowd:
    """Connections that send half requests and keep the connection; those that the server closes are opened again."""

    def __init__(self, port: int, random: Random) -> None:
        self._port, self._random = port, random
        self._poll = select.epoll()
        self._sockets: dict[int, socket.socket] = {}
        self.answers: dict[str, int] = {}
        self.opened = 0

    def __len__(self) -> int:
        return len(self._sockets)

    def add(self) -> None:
        """Open a connection, and send half a request."""
        connection = socket.socket()
        connection.setblocking(False)
        with suppress(BlockingIOError):
            connection.connect(("127.0.0.1", self._port))
        self._sockets[connection.fileno()] = connection
        self._poll.register(connection, select.EPOLLOUT)
        self.opened += 1

    def turn(self, seconds: float = 0.01) -> None:
        """Send and receive what can be sent and received now."""
        for descriptor, event in self._poll.poll(seconds, 512):
            connection = self._sockets[descriptor]
            try:
                if event & select.EPOLLOUT:
                    self._poll.modify(descriptor, select.EPOLLIN)
                    half = self._random.choice(HALVES)(self._random)
                    connection.send(half)
                else:
                    self._note(connection.recv(4096))
                    self._close(descriptor)
            except BlockingIOError:
                pass
            except OSError:
                self._note(b"")
                self._close(descriptor)

    def _note(self, answer: bytes) -> None:
        status = answer[9:12].decode("ascii", "replace") or "closed"
        self.answers[status] = self.answers.get(status, 0) + 1

    def _close(self, descriptor: int) -> None:
        self._poll.unregister(descriptor)
        self._sockets.pop(descriptor).close()

    def close(self) -> None:
        """Close all connections."""
        for descriptor in list(self._sockets):
            self._close(descriptor)
        self._poll.close()


def attack(
    random: Random,
    folder: Path,
    connections: int = 9_200,
    seconds: int = 30,
    limit: int = 256,
    records: int = 20_000,
    settle: int = 12,
) -> Outcome:
    """
    Keep half requests on so many connections for some time, while honest scans go on.

    :param limit: the server's memory limit, in MiB.
    :param records: the length of the list that the scans read.
    :param settle: the seconds after the attack, before the memory is measured again.
    """
    connections = allow_sockets(connections)
    path = write_list(folder / "list.ndjson", records)
    options = ("--list", str(path), "--memory-limit", f"{limit}MiB")
    server = Daemon("patches-server", folder / "server", *options).start()
    try:
        server.wait_until_ready()
        with Watch(server) as watch, HonestScans(server.port) as scans:
            time.sleep(1)
            before = watch.now_mib()
            crowd = Crowd(server.port, random)
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                for _ in range(min(200, connections - len(crowd))):
                    crowd.add()
                crowd.turn()
            crowd.close()
            time.sleep(settle)
            after = watch.now_mib()
        assert "Traceback" not in server.text(), server.text()[-2000:]
    finally:
        server.stop()
    tried = f"{connections:,} connections at once with half requests for {seconds} s, {crowd.opened:,} in all"
    return Outcome(
        f"server: resident ≤ {limit} MiB",
        tried,
        f"{watch.peak_mib:.0f} MiB",
        watch.peak_mib <= limit and not scans.failed and scans.served > 0 and after < before + 40,
        (
            f"answers to the crowd: {dict(sorted(crowd.answers.items()))}",
            f"honest scans: {scans.served} whole, {scans.refused} refusals, the longest {scans.longest:.1f} s, "
            f"failed: {scans.failed[:3]}",
            f"resident before {before:.0f}, {settle} s after {after:.0f} MiB",
        ),
    )


if __name__ == "__main__":
    program(__doc__, attack, connections=9_200, seconds=30, limit=256, records=20_000)
