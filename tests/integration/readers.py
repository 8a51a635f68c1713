"""Hundreds of clients of a patches-server in one process: clients that read, and clients that never read."""

from __future__ import annotations

import gzip
import hashlib
import json
import select
import socket
import time
from typing import Any

from patches.wire import StreamDigest, digest, repr_digest
from tests.integration.loopback import FAMILY, LOOPBACK


class Client:
    """One session on one connection, which is opened when the object is created."""

    def __init__(self, port: int, platform: str, receive_buffer: int = 0) -> None:
        self.socket = socket.socket(FAMILY)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.connect((LOOPBACK, port))
        self.socket.settimeout(60)
        body = json.dumps({"platform": platform}).encode()
        self.socket.sendall(
            b"POST /v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        )
        self._data = b""
        status, _, answer = self._receive()
        if status != 201:
            raise AssertionError(answer)
        self.token = json.loads(answer)["session"]

    def _receive(self) -> tuple[int, dict[str, str], bytes]:
        while (answer := self._answer()) is None:
            self._data += self._some()
        return answer

    def _some(self) -> bytes:
        data = self.socket.recv(262144)
        if not data:
            raise AssertionError("the server hung up")
        return data

    def _answer(self) -> tuple[int, dict[str, str], bytes] | None:
        head, found, rest = self._data.partition(b"\r\n\r\n")
        if not found:
            return None
        lines = head.decode().split("\r\n")
        fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
        length = int(fields["content-length"])
        if len(rest) < length:
            return None
        self._data = rest[length:]
        return int(lines[0].split()[1]), fields, rest[:length]

    def request(self, number: int) -> bytes:
        """Return the bytes of a request for a chunk."""
        return (
            b"GET /v1/sessions/%s/chunks/%d HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\nPrefer: wait=20\r\n\r\n"
            % (self.token.encode(), number)
        )


class NeverReads(Client):
    """A client that requests chunks and never reads a response; its kernel buffer is small."""

    def __init__(self, port: int, platform: str, pipelined: int = 1) -> None:
        super().__init__(port, platform, receive_buffer=4096)
        self.socket.sendall(b"".join(self.request(number) for number in range(pipelined)))


class Reader(Client):
    """A client that reads the whole list and verifies all of it."""

    #: Bodies seen before, by the hash of their gzip form, so that checking hundreds of equal streams is cheap.
    known: dict[bytes, tuple[bytes, str]] = {}

    def __init__(self, port: int, platform: str) -> None:
        super().__init__(port, platform)
        self.number = 0
        self.stream = StreamDigest()
        self.end: dict[str, Any] | None = None
        self.socket.setblocking(False)

    def ask(self) -> None:
        """Request the next chunk."""
        self.socket.send(self.request(self.number))

    def go_on(self) -> bool:
        """Process the received data. Return whether the list is complete."""
        self._data += self._some()
        answer = self._answer()
        if answer is None:
            return False
        status, fields, body = answer
        if status == 200 and fields["content-type"] == "application/json":
            self.end = json.loads(body)
            return True
        if status == 200:
            self._check(fields, body)
            self.number += 1
        elif status != 202:
            raise AssertionError((status, body))
        self.ask()
        return False

    def _check(self, fields: dict[str, str], body: bytes) -> None:
        name = hashlib.sha256(body).digest()
        if name not in self.known:
            taken = digest(gzip.decompress(body))
            self.known[name] = taken, repr_digest(taken)
        taken, announced = self.known[name]
        if fields["repr-digest"] != announced:
            raise AssertionError("a chunk is not what was announced")
        self.stream.add(taken)


def read_all(readers: list[Reader], seconds: float) -> None:
    """Run the readers until all have read their lists."""
    poll = select.epoll()
    going = {reader.socket.fileno(): reader for reader in readers}
    for reader in readers:
        poll.register(reader.socket, select.EPOLLIN)
        reader.ask()
    end = time.monotonic() + seconds
    while going:
        if time.monotonic() > end:
            raise AssertionError(f"{len(going)} readers are not done after {seconds} s")
        for descriptor, _ in poll.poll(1):
            if going[descriptor].go_on():
                poll.unregister(descriptor)
                del going[descriptor]
