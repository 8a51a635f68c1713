"""
A link to a server that spoils what passes: an HTTP proxy on loopback that reads whole responses and plays faults.

Source of the kinds: what networks, middleboxes and proxies are known to do, and RFC 9112 section 8 (incomplete
messages).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from attrs import frozen
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint, connectProtocol
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

_LENGTH = re.compile(rb"(?im)^content-length: *(\d+)\r$")


@frozen
class Step:
    """
    A part of what the client is sent.

    :ivar delay: the seconds before it is sent.
    :ivar data: the bytes; ``None``: the connection is closed. ``b""`` with an infinite delay: nothing more comes.
    """

    delay: float
    data: bytes | None


#: A fault: the steps that replace a response; from its head (with the empty line), its body, and the one before it.
Fault = Callable[[Random, bytes, bytes, bytes], Iterator[Step]]

FOREVER = float("inf")


def _with_length(head: bytes, body: bytes) -> bytes:
    return _LENGTH.sub(b"Content-Length: %d\r" % len(body), head) + body


def _answer(status: int, reason: str, body: bytes, *fields: str) -> bytes:
    lines = [f"HTTP/1.1 {status} {reason}", f"Content-Length: {len(body)}", *fields]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def _cut_at(data: bytes, where: int) -> Iterator[Step]:
    yield Step(0, data[:where])
    yield Step(0, None)


def cut_status_line(rng: Random, head: bytes, body: bytes, before: bytes) -> Iterator[Step]:
    """Cut the response within its status line, or before its first byte."""
    return _cut_at(head, rng.randrange(head.index(b"\r\n") + 1))


def cut_head(rng: Random, head: bytes, body: bytes, before: bytes) -> Iterator[Step]:
    """Cut the response within its header fields."""
    return _cut_at(head, rng.randrange(head.index(b"\r\n"), len(head)))


def cut_before_body(rng: Random, head: bytes, body: bytes, before: bytes) -> Iterator[Step]:
    """Cut the response between its head and its body."""
    return _cut_at(head + body, len(head))


def cut_body(rng: Random, head: bytes, body: bytes, before: bytes) -> Iterator[Step]:
    """Cut the response within its body, or before its last byte."""
    return _cut_at(head + body, len(head) + rng.choice((rng.randrange(len(body) + 1), max(0, len(body) - 1))))


def cut_after(rng: Random, head: bytes, body: bytes, before: bytes) -> Iterator[Step]:
    """Close the connection after a whole response, which said that it goes on."""
    return _cut_at(head + body, len(head + body))


def shorten(rng: Random, head: bytes, body: bytes, before: bytes) -> Iterator[Step]:
    """Truncate the body, with a length that is right for what is left."""
    yield Step(0, _with_length(head, body[: rng.randrange(len(body) or 1)]))


def lengthen(rng: Random, head: bytes, body: bytes, before: bytes) -> Iterator[Step]:
    """Add bytes to the body, with a length that is right for all of it."""
    yield Step(0, _with_length(head, body + rng.randbytes(rng.randrange(1, 200))))


def wrong_length(rng: Random, head: bytes, body: bytes, before: bytes) -> Iterator[Step]:
    """Announce another length than the body has."""
    length = max(0, len(body) + rng.choice((-100, -1, 1, 100)))
    yield Step(0, _LENGTH.sub(b"Content-Length: %d\r" % length, head) + body)


def flip_in_body(rng: Random, head: bytes, body: bytes, before: bytes) -> Iterator[Step]:
    """Flip one bit of the body."""
    yield Step(0, head + _flipped(rng, body))


def flip_in_head(rng: Random, head: bytes, body: bytes, before: bytes) -> Iterator[Step]:
    """Flip one bit of the head."""
    yield Step(0, _flipped(rng, head) + body)


def _flipped(rng: Random, data: bytes) -> bytes:
    if not data:
        return data
    where = rng.randrange(len(data))
    return data[:where] + bytes((data[where] ^ 1 << rng.randrange(8),)) + data[where + 1 :]


def duplicate(rng: Random, head: bytes, body: bytes, before: bytes) -> Iterator[Step]:
    """Send the response twice."""
    yield Step(0, (head + body) * 2)


def duplicate_part(rng: Random, head: bytes, body: bytes, before: bytes) -> Iterator[Step]:
    """Send a part of the body twice, with a length that is right for all of it."""
    where = rng.randrange(len(body) or 1)
    yield Step(0, _with_length(head, body[: where + 64] + body[where:]))


def reorder(rng: Random, head: bytes, body: bytes, before: bytes) -> Iterator[Step]:
    """Exchange two parts of the body."""
    first, second = sorted(rng.randrange(len(body) or 1) for _ in range(2))
    yield Step(0, head + body[second:] + body[first:second] + body[:first])


def replay(rng: Random, head: bytes, body: bytes, before: bytes) -> Iterator[Step]:
    """Send the response before once more, in place of this one."""
    yield Step(0, before or head + body)


def stall(rng: Random, head: bytes, body: bytes, before: bytes) -> Iterator[Step]:
    """Send nothing, or a part, and then nothing more."""
    data = head + body
    yield Step(0, data[: rng.choice((0, rng.randrange(len(data))))])
    yield Step(FOREVER, b"")


def drip(rng: Random, head: bytes, body: bytes, before: bytes) -> Iterator[Step]:
    """Send the response in small pieces, with pauses."""
    data, size = head + body, rng.choice((1, 7, 100, 1000))
    cuts = range(0, min(len(data), 40 * size), size)
    for where in cuts:
        yield Step(0.01, data[where : where + size])
    yield Step(0.01, data[cuts[-1] + size :])


def fail(rng: Random, head: bytes, body: bytes, before: bytes) -> Iterator[Step]:
    """Answer as a proxy does whose server is not there."""
    status, reason = rng.choice(((500, "Internal Server Error"), (502, "Bad Gateway"), (503, "Busy"), (504, "Timeout")))
    fields = ["Content-Type: text/html", *(["Retry-After: 1"] if status == 503 and rng.random() < 0.5 else [])]
    yield Step(0, _answer(status, reason, b"<html>Sorry</html>", *fields))


def deny(rng: Random, head: bytes, body: bytes, before: bytes) -> Iterator[Step]:
    """Answer as a proxy does that lets nobody through."""
    status = rng.choice((400, 401, 403, 404, 407, 410, 413, 429, 451))
    yield Step(0, _answer(status, "No", b"<html>No</html>", "Content-Type: text/html"))


def wrong_json(rng: Random, head: bytes, body: bytes, before: bytes) -> Iterator[Step]:
    """Answer 200 or 201 with JSON of another meaning, or with what is no JSON."""
    objects = (b"{}", b'{"session": 7}', b'{"finished": true}', b'{"a": 1, "a": 2}')
    texts = (*objects, b"", b"null", b"[]", b"{", b"\xff\xfe")
    status = rng.choice((200, 201, 202))
    yield Step(0, _answer(status, "OK", rng.choice(texts), "Content-Type: application/json"))


def portal(rng: Random, head: bytes, body: bytes, before: bytes) -> Iterator[Step]:
    """Answer as a captive portal does: with a page, whatever was asked for."""
    yield Step(0, _answer(200, "OK", b"<html>Log in</html>", "Content-Type: text/html"))


def redirect(rng: Random, head: bytes, body: bytes, before: bytes) -> Iterator[Step]:
    """Redirect to somewhere else."""
    where = rng.choice(("http://127.0.0.1:9/", "/", "//absent.invalid/v1/sessions", "file:///etc/passwd", "\x7f"))
    yield Step(0, _answer(rng.choice((301, 302, 303, 307, 308)), "Elsewhere", b"", f"Location: {where}"))


def change_json(rng: Random, head: bytes, body: bytes, before: bytes) -> Iterator[Step]:
    """Change one member of a JSON document; other bodies are left as they are."""
    try:
        document: Any = json.loads(body)
        where = document
        while isinstance(where.get("snapshot"), dict) and rng.random() < 0.5:
            where = where["snapshot"]
        name = rng.choice(sorted(where))
    except (ValueError, AttributeError, IndexError):
        yield Step(0, head + body)
        return
    if rng.random() < 0.3:
        del where[name]
    else:
        where[name] = rng.choice((None, True, -1, 10**12, 1.5, "", "x", [], {}, 1, 0))
    yield Step(0, _with_length(head, json.dumps(document).encode()))


FAULTS: dict[str, Fault] = {
    fault.__name__.replace("_", " "): fault
    for fault in (
        *(cut_status_line, cut_head, cut_before_body, cut_body, cut_after, shorten, lengthen, wrong_length),
        *(flip_in_body, flip_in_head, duplicate, duplicate_part, reorder, replay, stall, drip),
        *(fail, deny, wrong_json, portal, redirect, change_json),
    )
}


class FaultyLink:
    """
    A proxy in front of a server, with one fault.

    :param port: the port of the server.
    :param rng: decides which responses are spoiled, and how.
    :param fault: the name of the fault.
    :param often: the part of the responses that are spoiled.
    :ivar played: the number of responses that were spoiled.
    """

    def __init__(self, reactor: Any, port: int, rng: Random, fault: str, often: float) -> None:
        self.reactor = reactor
        self.port = port
        self.rng = rng
        self.fault = FAULTS[fault]
        self.often = often
        self.played = 0
        self.before = b""
        self.connections: set[Protocol] = set()
        self._listening: Any = None

    async def listen(self) -> str:
        """Listen on a free port of loopback. Return the URL."""
        factory = Factory.forProtocol(lambda: _Front(self))  # type: ignore[arg-type]
        factory.noisy = False
        self._listening = await TCP4ServerEndpoint(self.reactor, 0, interface="127.0.0.1").listen(factory)
        return f"http://127.0.0.1:{self._listening.getHost().port}"

    async def close(self) -> None:
        """Close the port and all connections."""
        await self._listening.stopListening()
        for connection in list(self.connections):
            transport: Any = connection.transport
            transport.abortConnection()

    def steps(self, head: bytes, body: bytes) -> Iterator[Step]:
        """Return the steps of one response."""
        whole = head + body
        if self.rng.random() < self.often:
            self.played += 1
            yield from self.fault(self.rng, head, body, self.before)
        else:
            yield Step(0, whole)
        self.before = whole


class _Front(Protocol):
    """The connection of a client; its bytes go on to the server as they are."""

    def __init__(self, link: FaultyLink) -> None:
        self._link = link
        self._back: _Back | None = None
        self._early = b""
        self._is_lost = False

    def connectionMade(self) -> None:
        """Connect to the server."""
        self._link.connections.add(self)
        endpoint = TCP4ClientEndpoint(self._link.reactor, "127.0.0.1", self._link.port, timeout=5)
        connectProtocol(endpoint, _Back(self, self._link)).addCallbacks(self._connected, self._failed)

    def _connected(self, back: _Back) -> None:
        self._back = back
        transport: Any = back.transport
        transport.write(self._early)
        if self._is_lost:
            transport.abortConnection()

    def _failed(self, failure: Failure) -> None:
        self.end()

    def dataReceived(self, data: bytes) -> None:
        """Pass a request on."""
        if self._back is None:
            self._early += data
        else:
            transport: Any = self._back.transport
            transport.write(data)

    def play(self, steps: Iterator[Step]) -> None:
        """Send steps, one after the other."""
        for step in steps:
            if self._is_lost or step.delay == FOREVER:
                return
            if step.delay:
                self._link.reactor.callLater(step.delay, self._resume, step, steps)
                return
            self._send(step)

    def _resume(self, step: Step, steps: Iterator[Step]) -> None:
        if not self._is_lost:
            self._send(step)
            self.play(steps)

    def _send(self, step: Step) -> None:
        transport: Any = self.transport
        if step.data is None:
            self.end()
        else:
            transport.write(step.data)

    def end(self) -> None:
        """Close the connection once all is sent."""
        transport: Any = self.transport
        transport.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Close the connection to the server too."""
        self._is_lost = True
        self._link.connections.discard(self)
        if self._back is not None:
            transport: Any = self._back.transport
            transport.abortConnection()


class _Back(Protocol):
    """The connection to the server; each whole response is given to the fault."""

    def __init__(self, front: _Front, link: FaultyLink) -> None:
        self._front = front
        self._link = link
        self._data = b""

    def dataReceived(self, data: bytes) -> None:
        """Take the responses that are whole."""
        self._data += data
        while (end := self._data.find(b"\r\n\r\n") + 4) > 3:
            found = _LENGTH.search(self._data[:end])
            length = int(found[1]) if found else 0
            if len(self._data) < end + length:
                return
            head, body, self._data = self._data[:end], self._data[end : end + length], self._data[end + length :]
            self._front.play(self._link.steps(head, body))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Close the connection of the client too."""
        self._front.end()
