"""
Thousands of sessions of every bad kind at once: that never read, read a little, pipeline, hang up, stop half-way.

The server must stay below its limit whatever the length of the list, and serve honest scans meanwhile.
"""

from __future__ import annotations

import json
import select
import socket
import ssl
import time
from collections import Counter
from contextlib import nullcontext, suppress
from pathlib import Path
from random import Random

from patches.server.budget import PURPOSES
from tests.chaos.attack import Outcome, program
from tests.chaos.certificates import trusting, write_certificate
from tests.chaos.watch import HonestScans, Watch, allow_sockets
from tests.integration.daemons import Daemon
from tests.integration.sample_lists import write_list

PLATFORM = "debian-12"
KINDS = ("never reads", "reads a little", "pipelines", "hangs up", "half a request", "opens only", "asks others' ways")
#: Requests for what grows with the server, or is refused.
_OTHERS = ("/metrics", "/v1/platforms", "/ready", "/vulns?platform=debian-12", "/v1/sessions/absent", "/absent", "/%00")


class BadClient:
    """
    One session of a bad kind, on one connection that never blocks.

    :ivar socket: its connection, which is closed when the server closes it.
    """

    def __init__(self, port: int, kind: str, random: Random, context: ssl.SSLContext | None) -> None:
        self._kind, self._random, self._token, self._data = kind, random, "", b""
        self._asked, self._rest = False, b""
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(20)
        connection.connect(("127.0.0.1", port))
        self.socket = context.wrap_socket(connection) if context else connection
        body = json.dumps({"platform": PLATFORM}).encode()
        head = b"POST /v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
        self.socket.sendall(head + body)
        self.socket.setblocking(False)

    def turn(self) -> bool:
        """Do what its kind does, as far as it can now. Return whether the connection goes on."""
        try:
            return all(self._turn() for _ in range(3))
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return True
        except (OSError, ValueError):
            return False

    def _turn(self) -> bool:
        if self._rest:
            self._rest = self._rest[self.socket.send(self._rest) :]
            return True
        if not self._token:
            return self._open()
        if not self._asked:
            self._asked = True
            self._rest = self._request()
            return self._turn() if self._rest else self._kind != "hangs up"
        if self._kind in ("reads a little", "opens only"):
            return bool(self.socket.recv(1024))
        return self._kind != "hangs up"

    def _open(self) -> bool:
        part = self.socket.recv(4096)
        self._data += part
        head, found, body = self._data.partition(b"\r\n\r\n")
        if not part or (found and b" 201 " not in head[:16]):
            return False
        if found:
            with suppress(ValueError):
                self._token = json.loads(body)["session"]
        return True

    def _request(self) -> bytes:
        chunk = f"GET /v1/sessions/{self._token}/chunks/%d HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n"
        whole = chunk + "Prefer: wait=25\r\n\r\n"
        return {
            "never reads": whole % 0,
            "reads a little": "".join(whole % n for n in range(20)),
            "pipelines": "".join(whole % n for n in range(300)) + (whole % 0).replace("gzip", "identity"),
            "hangs up": whole % 0,
            "half a request": chunk % 0,
            "opens only": "",
            "asks others' ways": "".join(
                f"GET {self._random.choice(_OTHERS)} HTTP/1.1\r\nHost: x\r\n\r\n" for _ in range(200)
            ),
        }[self._kind].encode()


class BadCrowd:
    """So many bad clients at once; those that end are replaced."""

    def __init__(self, port: int, random: Random, count: int, tls: int) -> None:
        self._port, self._random, self._count = port, random, count
        self._context = trusting() if tls else None
        self._clients: dict[int, BadClient] = {}
        self._poll = select.epoll()
        self.opened: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._clients)

    def turn(self) -> None:
        """Open some clients that are missing, and let the others do what they can."""
        for _ in range(min(100, self._count - len(self._clients))):
            self._open()
        for descriptor, _ in self._poll.poll(0.05, 500):
            client = self._clients[descriptor]
            if not client.turn():
                self._drop(descriptor)
        time.sleep(0.02)

    def _open(self) -> None:
        kind = self._random.choice(KINDS)
        with suppress(OSError):
            client = BadClient(self._port, kind, self._random, self._context)
            self.opened[kind] += 1
            self._clients[client.socket.fileno()] = client
            self._poll.register(client.socket, select.EPOLLIN | select.EPOLLOUT | select.EPOLLET)
            if not client.turn():
                self._drop(client.socket.fileno())

    def _drop(self, descriptor: int) -> None:
        self._poll.unregister(descriptor)
        self._clients.pop(descriptor).socket.close()

    def close(self) -> None:
        """Close all connections."""
        for descriptor in list(self._clients):
            self._drop(descriptor)
        self._poll.close()


def granted_mib(server: Daemon) -> str:
    """Return what the budget has granted, by purpose."""
    name = 'patches_memory_granted_bytes{purpose="%s"}'
    try:
        found = {each: server.metric(name % each) / 2**20 for each in PURPOSES}
    except (OSError, StopIteration):
        return "granted: the server took no further connection"
    return "granted, in MiB: " + ", ".join(f"{each} {size:.1f}" for each, size in found.items())


def attack(
    random: Random,
    folder: Path,
    sessions: int = 5_000,
    records: int = 1_000_000,
    seconds: int = 60,
    limit: int = 256,
    window_kib: int = 32 * 1024,
    tls: int = 0,
) -> Outcome:
    """
    Keep so many bad sessions at once for some time.

    :param limit: the memory limit, in MiB.
    :param window_kib: the size of a window, in KiB.
    :param tls: 1: over TLS; no honest scans are made then.
    """
    folder.mkdir(exist_ok=True)
    sessions = allow_sockets(sessions)
    path = write_list(folder / "list.ndjson", records)
    options = ("--list", str(path), "--memory-limit", f"{limit}MiB", "--window-bytes", f"{window_kib}KiB")
    server = Daemon("patches-server", folder / "server", *options, "--session-timeout", "8", "--chunk-timeout", "8")
    server.start(**({"kind": "ssl", "more": write_certificate(folder)} if tls else {}))
    try:
        with Watch(server) as import_watch:
            server.wait_until_ready(600)
        with Watch(server) as watch:
            before = watch.now_mib()
            crowd = BadCrowd(server.port, random, sessions, tls)
            scans = HonestScans(server.port, pause=1.0)
            end, most = time.monotonic() + seconds, 0
            with nullcontext() if tls else scans:
                while time.monotonic() < end:
                    crowd.turn()
                    most = max(most, len(crowd))
                granted = granted_mib(server)
                crowd.close()
        assert "Traceback" not in server.text(), server.text()[-2000:]
    finally:
        server.stop()
    honest = "no honest scans" if tls else f"honest scans: {scans.served} whole, {scans.refused} refusals"
    return Outcome(
        f"server: resident ≤ {limit} MiB with {records:,} records" + (" over TLS" if tls else ""),
        f"{most:,} bad sessions at once for {seconds} s, {sum(crowd.opened.values()):,} in all",
        f"{watch.peak_mib:.0f} MiB, {import_watch.peak_mib:.0f} MiB while the list was read",
        max(watch.peak_mib, import_watch.peak_mib) <= limit and not scans.failed and (bool(tls) or scans.served > 0),
        (
            f"{honest}, the longest {scans.longest:.1f} s, failed: {scans.failed[:3]}",
            f"opened: {dict(crowd.opened)}",
            f"{granted}; resident before: {before:.0f} MiB",
        ),
    )


if __name__ == "__main__":
    program(__doc__, attack, sessions=5_000, records=1_000_000, seconds=60, limit=256, window_kib=32 * 1024, tls=0)
