"""
Waking a crowd: 5,000 requests wait for one chunk, which a slow reader holds up, and are answered at once.

A probe, a process with precedence, asks for ``/health`` all the time meanwhile: its longest wait shows whether the
reactor was held up. The probe and the crowd share one core, the server has another.

.venv/bin/python -m benchmarks.wake [SCANNERS]
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import selectors
import socket
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.processes import ask, free_port, patches_server, process, wait_until_ready, write_list

#: A window with room for one chunk, so that the slow reader holds it up.
ONE_CHUNK = 65 * 1024
FIELDS = "Host: x\r\nAccept-Encoding: gzip\r\nPrefer: wait=25\r\n"


class Line:
    """A connection, and the bytes of its response that are still to come."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.left = -1

    def ask(self, path: str) -> None:
        """Send a request."""
        self.left = -1
        self.socket.send(f"GET {path} HTTP/1.1\r\n{FIELDS}\r\n".encode())

    def receive(self) -> bool:
        """Receive some bytes. Return whether the response is complete."""
        data = self.socket.recv(1 << 18)
        if self.left < 0:
            head, _, data = data.partition(b"\r\n\r\n")
            self.left = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        self.left -= len(data)
        return self.left == 0

    def answer(self) -> None:
        """Wait for the whole response."""
        while not self.receive():
            pass


def crowd(port: int, number: int) -> tuple[list[Line], list[str]]:
    """Open sessions that have read the first chunk. Return their connections and paths."""
    lines, paths = [], []
    for _ in range(number):
        line = Line(port)
        body = b'{"platform":"debian-12"}'
        line.socket.send(b"POST /v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        paths.append("/v1/sessions/" + json.loads(line.socket.recv(65536).partition(b"\r\n\r\n")[2])["session"])
        line.ask(f"{paths[-1]}/chunks/0")
        line.answer()
        lines.append(line)
    return lines, paths


def wake(port: int, number: int) -> None:
    """Wake a crowd that waits, and print how long that takes and how long the probe waits."""
    lines, paths = crowd(port, number + 1)
    selector = selectors.DefaultSelector()
    for line, path in zip(lines[1:], paths[1:], strict=True):
        line.ask(f"{path}/chunks/1")
        selector.register(line.socket, selectors.EVENT_READ, line)
    with multiprocessing.Pool(1, initializer=prefer) as pool:
        time.sleep(3)
        probing = pool.apply_async(probe, (port, 4.0))
        time.sleep(1)
        began, left = time.perf_counter(), number
        lines[0].ask(f"{paths[0]}/chunks/1")
        while left:
            for key, _ in selector.select():
                if key.data.receive():
                    selector.unregister(key.data.socket)
                    left -= 1
        print(f"{number} requests were answered in {time.perf_counter() - began:.2f} s")
        waits = sorted(probing.get())
    print(f"the probe was answered {len(waits)} times; it waited {waits[-1] * 1000:.1f} ms at most, then", end=" ")
    print(", ".join(f"{wait * 1000:.1f}" for wait in waits[-2:-6:-1]))


def prefer() -> None:
    """Raise the priority of this process, if that is allowed: the probe must not wait for the crowd."""
    with contextlib.suppress(OSError):
        os.nice(-15)


def probe(port: int, seconds: float) -> list[float]:
    """Ask for the health of the server all the time. Return how long each answer took, in seconds."""
    line, waits, until = Line(port), [], time.perf_counter() + seconds
    while (asked := time.perf_counter()) < until:
        line.ask("/health")
        line.answer()
        waits.append(time.perf_counter() - asked)
        time.sleep(0.0005)
    return waits


def main() -> None:
    """Run the benchmark."""
    number = int(sys.argv[1]) if sys.argv[1:] else 5000
    with tempfile.TemporaryDirectory() as folder:
        path, port = Path(folder) / "list.ndjson", free_port()
        write_list(path, 20_000)
        options = ("--window-bytes", str(ONE_CHUNK), "--max-active", "8192", "--session-timeout", "60")
        command = patches_server(Path(folder) / "state", port, path, *options, "--chunk-timeout", "5m")
        with process(command, port, core=0):
            wait_until_ready(port)
            os.sched_setaffinity(0, {1})
            assert ask(port, "GET", "/health")[0] == 200
            wake(port, number)


if __name__ == "__main__":
    main()
