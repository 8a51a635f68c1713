"""One simulated scanner: it reads a whole list as a real one does, from the bytes of responses; it does no I/O."""

from __future__ import annotations

import gzip
import json
import re
from typing import Any

from attrs import define, field

from patches.wire import MalformedWire, StreamDigest, digest, is_number, parse_json, parse_repr_digest

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d{1,9})\r\n", re.IGNORECASE)
_RETRY_AFTER = re.compile(rb"\r\nretry-after: *(\d{1,6})\r\n", re.IGNORECASE)
_DIGEST = re.compile(rb"\r\nrepr-digest: *(\S+)\r\n", re.IGNORECASE)
_IS_CHUNK = re.compile(rb"\r\ncontent-type: *application/x-ndjson", re.IGNORECASE)
_MAX_HEAD_BYTES = 16 * 1024
#: How long a request waits at the server, in seconds.
_WAIT = 20


@define(eq=False)
class SimulatedScanner:
    """
    A scanner's pass over the list of a platform.

    :ivar host: the value of its ``Host`` field.
    :ivar verifies: whether it unpacks every chunk, and compares its digest and that of the stream.
    :ivar started: the time at which it began; in seconds of any clock, likewise all others.
    :ivar due: the time before which it sends no request.
    :ivar ended: the time at which it ended.
    :ivar problem: why it did not read the whole list; empty if it did.
    :ivar denials: how often it was denied a session.
    :ivar received: the bytes of the bodies of all responses.
    """

    host: str
    platform: str
    verifies: bool
    started: float
    due: float = 0.0
    ended: float | None = None
    problem: str = ""
    denials: int = 0
    received: int = 0
    chunks: int = 0
    vulnerabilities: int = 0
    _token: str = ""
    _head: bytes = b""
    _body: list[bytes] = field(factory=list)
    _left: int | None = None
    _keep: bool = True
    _digest: StreamDigest = field(factory=StreamDigest)

    def request(self) -> bytes:
        """Return the next request."""
        if not self._token:
            body = json.dumps({"platform": self.platform}).encode()
            head = f"POST /v1/sessions HTTP/1.1\r\nHost: {self.host}\r\nContent-Length: {len(body)}\r\n\r\n"
            return head.encode() + body
        path = f"/v1/sessions/{self._token}/chunks/{self.chunks}"
        fields = f"Host: {self.host}\r\nAccept-Encoding: gzip\r\nPrefer: wait={_WAIT}\r\n"
        return f"GET {path} HTTP/1.1\r\n{fields}\r\n".encode()

    def receive(self, data: bytes, now: float) -> bool:
        """
        Receive bytes of the response. Return whether it is complete: then the scanner has ended, or the next request
        is due at :attr:`due`.
        """
        if self._left is None:
            self._head += data
            head, end, data = self._head.partition(b"\r\n\r\n")
            if not end:
                if len(self._head) > _MAX_HEAD_BYTES:
                    self.end("a response without an end of its head", now)
                return bool(self.problem)
            self._head = head + b"\r\n"
            length = _LENGTH.search(self._head)
            if length is None:
                self.end("a response without a length", now)
                return True
            self._left = int(length[1])
            self._keep = self.verifies or not _IS_CHUNK.search(self._head)
        self._left -= len(data)
        self.received += len(data)
        if self._keep:
            self._body.append(data)
        if self._left > 0:
            return False
        head, body = self._head, b"".join(self._body)
        self._head, self._body, self._left = b"", [], None
        try:
            self._respond(head, body, now)
        except (ValueError, KeyError, MalformedWire, OSError, EOFError) as error:
            self.end(f"a response that cannot be read: {error}", now)
        return True

    def end(self, problem: str, now: float) -> None:
        """End without the whole list, for a reason."""
        self.problem, self.ended = problem, now

    def _respond(self, head: bytes, body: bytes, now: float) -> None:
        status = head[9:12]
        if status == b"200" and _IS_CHUNK.search(head):
            self._take_chunk(head, body)
            return
        document: dict[str, Any] = parse_json(body)
        if status == b"201":
            self._token = document["session"]
        elif status == b"200":
            self._finish(document, now)
        elif status == b"202":
            after = document["pollAfter"]
            self.due = now + (after if is_number(after) else 1.0)
        elif status == b"503" and (again := _RETRY_AFTER.search(head)):
            self.denials += 1
            self._token, self.chunks, self._digest = "", 0, StreamDigest()
            self.due = now + int(again[1])
        else:
            error = document["error"]
            self.end(f"{status.decode('ascii')} {error['code']}: {error['message']}", now)

    def _take_chunk(self, head: bytes, body: bytes) -> None:
        self.chunks += 1
        if not self.verifies:
            return
        text, announced = gzip.decompress(body), _DIGEST.search(head)
        if announced is None or parse_repr_digest(announced[1].decode("ascii")) != digest(text):
            raise ValueError("the digest of a chunk differs")
        self._digest.add(digest(text))

    def _finish(self, document: dict[str, Any], now: float) -> None:
        self.vulnerabilities = document["vulnerabilities"]
        if document["chunks"] != self.chunks:
            self.end(f"{self.chunks} chunks of {document['chunks']}", now)
        elif self.verifies and document["digest"] != self._digest.hexdigest():
            self.end("the digest of the list differs", now)
        else:
            self.ended = now
