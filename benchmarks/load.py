"""
A load generator: connections that send the next request as soon as they have a response; cheap enough to share a core.
"""

from __future__ import annotations

import select
import socket
import ssl
import time
from collections.abc import Sequence

from attrs import frozen

#: What is received, for all connections: a buffer for each response costs more than all else that the client does.
_BUFFER = bytearray(256 * 1024)


@frozen
class Load:
    """The result of a run: responses, seconds, and the latency of the slowest 1 % of responses in milliseconds."""

    answers: int
    seconds: float
    p99_ms: float


def run_load(
    address: tuple[str, int], requests: Sequence[bytes], seconds: float, context: ssl.SSLContext | None = None
) -> Load:
    """
    Keep one request in progress on each connection.

    :param requests: one for each connection, always the same; all its responses must have the same length.
    :param context: ``None``: without TLS.
    """
    connections = [_Connection(address, request, context) for request in requests]
    poll = select.epoll()
    by_descriptor = {}
    for connection in connections:
        by_descriptor[connection.socket.fileno()] = connection
        poll.register(connection.socket, select.EPOLLIN)
        connection.ask()
    started = time.perf_counter()
    end = started + seconds
    answers = 0
    while time.perf_counter() < end:
        for descriptor, _ in poll.poll(0.1):
            answers += by_descriptor[descriptor].receive()
    took = time.perf_counter() - started
    times = sorted(value for connection in connections for value in connection.times)
    for connection in connections:
        connection.socket.close()
    return Load(answers, took, times[int(len(times) * 0.99)] * 1000 if times else 0.0)


class _Connection:
    def __init__(self, address: tuple[str, int], request: bytes, context: ssl.SSLContext | None) -> None:
        connection = socket.create_connection(address)
        self.socket = context.wrap_socket(connection) if context is not None else connection
        self.request = request
        self.length = _answer_length(self.socket, request)
        self.socket.setblocking(False)
        self.times: list[float] = []
        self._left = 0
        self._asked = 0.0

    def ask(self) -> None:
        self._left = self.length
        self._asked = time.perf_counter()
        self.socket.send(self.request)

    def receive(self) -> bool:
        while self._left:
            try:
                size = self.socket.recv_into(_BUFFER)
            except (BlockingIOError, ssl.SSLWantReadError):
                return False
            if not size:
                raise ConnectionError("the server hung up")
            self._left -= size
        self.times.append(time.perf_counter() - self._asked)
        self.ask()
        return True


def _answer_length(connection: socket.socket, request: bytes) -> int:
    """Send one request. Return the length of the response."""
    connection.settimeout(30)
    connection.sendall(request)
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    if b" 200 " not in head.split(b"\r\n")[0]:
        raise ConnectionError(head.split(b"\r\n")[0].decode())
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    length = int(fields[b"content-length"])
    while len(body) < length:
        body += connection.recv(65536)
    return len(head) + 4 + length
