"""A server on loopback whose responses are bytes that are sent as they are, as a hostile server could send them."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from attrs import frozen

from patches.wire import digest, repr_digest

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@frozen
class Request:
    """
    A request.

    :ivar path: with the query.
    """

    method: str
    path: str
    body: bytes


#: Returns the pieces of a response, which are sent one after the other until the client closes the connection.
Answer = Callable[[Request], Iterable[bytes]]


class ScriptedServer:
    """
    A server with a thread for each connection; a context manager.

    :param greeting: bytes that are sent on each connection before anything is received.
    :ivar requests: the number of requests.
    :ivar sent: the number of bytes that were sent.
    """

    def __init__(self, answer: Answer, greeting: bytes = b"") -> None:
        self._answer = answer
        self._greeting = greeting
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.requests = 0
        self.sent = 0

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def __enter__(self) -> ScriptedServer:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            connection.sendall(self._greeting)
            received = b""
            while True:
                while b"\r\n\r\n" not in received:
                    data = connection.recv(65536)
                    if not data:
                        return
                    received += data
                head, _, received = received.partition(b"\r\n\r\n")
                found = _LENGTH.search(head)
                length = int(found[1]) if found else 0
                while len(received) < length:
                    received += connection.recv(65536)
                body, received = received[:length], received[length:]
                method, path, _ = head.split(b"\r\n")[0].decode().split(" ")
                self.requests += 1
                for piece in self._answer(Request(method, path, body)):
                    connection.sendall(piece)
                    self.sent += len(piece)


def response(status: int, body: bytes, kind: str = "application/json", **fields: str) -> bytes:
    """Return a whole response; underscores in the names of header fields become hyphens."""
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    return head.encode("latin-1") + body


def document(status: int, value: Any, **fields: str) -> bytes:
    """Return a whole response with a JSON document."""
    return response(status, json.dumps(value).encode(), **fields)


def chunk(body: bytes, encoded: bytes | None = None) -> bytes:
    """Return the response of a chunk, in gzip if its encoded form is given."""
    coding = {} if encoded is None else {"Content_Encoding": "gzip"}
    sent = body if encoded is None else encoded
    return response(200, sent, "application/x-ndjson", Repr_Digest=repr_digest(digest(body)), **coding)
