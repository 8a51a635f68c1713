"""
Connections in memory that behave as those of TCP, with a write buffer, a kernel that accepts bytes, and producers.
"""

from __future__ import annotations

from typing import Any

from attrs import frozen
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.interfaces import IPushProducer, ITransport
from twisted.python.failure import Failure
from zope.interface import implementer


@implementer(ITransport, IPushProducer)
class Wire:
    """
    A connection to a protocol, whose other end is controlled by a test.

    It follows :class:`twisted.internet.abstract.FileDescriptor`: a push producer is paused when more than
    ``bufferSize`` bytes are unsent, and resumed when all are sent; a closing connection is lost after its last byte.

    :param takes: the number of bytes that the kernel accepts by itself; ``None``: all, at any time.
    :ivar protocol: the protocol at the server's end.
    :ivar received: the bytes that the other end has received.
    """

    bufferSize = 64 * 1024

    def __init__(self, protocol: Any, takes: int | None = None) -> None:
        self.received = b""
        self.connected = True
        self.disconnecting = False
        self.session_service = True
        self.most_unsent = 0
        self._takes = takes
        self._unsent = b""
        self._incoming = b""
        self._busy = False
        self._producer: Any = None
        self._paused = False
        self.protocol = protocol
        protocol.makeConnection(self)
        self._settle()

    # The methods of the other end

    def send(self, data: bytes) -> None:
        """Send from the other end."""
        self._incoming += data
        self._settle()

    def take(self, size: int | None = None) -> None:
        """Accept some of the written bytes; ``None``: all of them from now on."""
        self._takes = None if size is None else (self._takes or 0) + size
        self._settle()

    def hang_up(self) -> None:
        """Close from the other end."""
        self._lose(ConnectionDone())

    @property
    def unsent_bytes(self) -> bytes:
        """The bytes that the server has written but the kernel has not accepted."""
        return self._unsent

    @property
    def unsent(self) -> int:
        """The number of these bytes."""
        return len(self.unsent_bytes)

    @property
    def unread(self) -> int:
        """The number of bytes that the server has not read."""
        return len(self._incoming)

    def _settle(self) -> None:
        if self._busy:
            return
        self._busy = True
        while self._write() or self._read():
            pass
        self._busy = False

    def _read(self) -> bool:
        if not (self.connected and self.session_service and not self.disconnecting and self._incoming):
            return False
        data, self._incoming = self._incoming[: self.bufferSize], self._incoming[self.bufferSize :]
        self.protocol.dataReceived(data)
        return True

    def _write(self) -> bool:
        if not self.connected:
            return False
        size = len(self._unsent) if self._takes is None else min(self._takes, len(self._unsent))
        self.received += self._unsent[:size]
        self._unsent = self._unsent[size:]
        if self._takes is not None:
            self._takes -= size
        if self._unsent:
            return False
        if self._producer is not None and self._paused:
            self._paused = False
            self._producer.resumeProducing()
            return True
        if self.disconnecting:
            self._lose(ConnectionDone())
        return False

    def _lose(self, reason: Exception) -> None:
        if self.connected:
            self.connected = False
            self._unsent = b""
            if self._producer is not None:
                self._producer.stopProducing()
                self._producer = None
            self.protocol.connectionLost(Failure(reason))

    # The methods that the protocol calls

    def write(self, data: bytes) -> None:
        """Buffer bytes until the kernel accepts them."""
        if not isinstance(data, bytes):
            raise TypeError(data)
        if not self.connected:
            return
        self._unsent += data
        self.most_unsent = max(self.most_unsent, len(self._unsent))
        if self._producer is not None and not self._paused and len(self._unsent) > self.bufferSize:
            self._paused = True
            self._producer.pauseProducing()
        self._settle()

    def writeSequence(self, data: Any) -> None:
        """Buffer several byte strings."""
        self.write(b"".join(data))

    def loseConnection(self) -> None:
        """Close the connection when all bytes are sent."""
        self.disconnecting = True
        self._settle()

    def abortConnection(self) -> None:
        """Close the connection now."""
        self._lose(ConnectionAborted())

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Register a producer; only push producers are supported."""
        if self._producer is not None or not streaming:
            raise RuntimeError()
        self._producer = producer

    def unregisterProducer(self) -> None:
        """Unregister the producer."""
        self._producer = None
        self._settle()

    def pauseProducing(self) -> None:
        """Stop reading."""
        self.session_service = False

    def resumeProducing(self) -> None:
        """Resume reading."""
        self.session_service = True
        self._settle()

    def stopProducing(self) -> None:
        """Close the connection."""
        self.loseConnection()

    def getPeer(self) -> IPv4Address:
        """Return the address of the other end."""
        return IPv4Address("TCP", "192.0.2.1", 1)

    def getHost(self) -> IPv4Address:
        """Return the address of this end."""
        return IPv4Address("TCP", "192.0.2.2", 8080)


@frozen
class _Socket:
    """The socket of a :class:`SocketWire`, at the server's end."""

    _wire: SocketWire

    def send(self, data: bytes | memoryview) -> int:
        """Send what the kernel accepts."""
        wire = self._wire
        size = len(data) if wire._takes is None else min(wire._takes, len(data))
        wire._rest = bytes(data[size:])
        wire.most_unsent = max(wire.most_unsent, len(wire._rest))
        if not size:
            raise BlockingIOError()
        if wire._takes is not None:
            wire._takes -= size
        wire.received += data[:size]
        return size


class SocketWire(Wire):
    """A connection whose socket can be reached past its buffer, as :mod:`patches.server.http.chunk_transport` does."""

    dataBuffer = b""
    _rest = b""

    @property
    def _tempDataLen(self) -> int:
        return len(self._unsent)

    @property
    def socket(self) -> _Socket:
        """The socket."""
        return _Socket(self)

    @property
    def unsent_bytes(self) -> bytes:
        """The bytes that the server has yet to send, those that are shared included."""
        return self._rest + self._unsent

    def doWrite(self) -> None:
        """Go on as usual, once the shared bytes are sent."""

    def _write(self) -> bool:
        if "doWrite" in vars(self):
            self.doWrite()
        return "doWrite" not in vars(self) and super()._write()

    @property
    def producer(self) -> Any:
        """The producer."""
        return self._producer

    @property
    def producerPaused(self) -> bool:
        """Whether the producer is paused."""
        return self._paused

    @producerPaused.setter
    def producerPaused(self, paused: bool) -> None:
        self._paused = paused

    def startWriting(self) -> None:
        """Send what is left when the kernel accepts it."""
        self._settle()


@frozen
class Answer:
    """
    An HTTP response.

    :ivar headers: the header fields by their names in lower case.
    :ivar raw: all bytes of the response.
    """

    status: int
    headers: dict[str, str]
    body: bytes
    raw: bytes


def answers(data: bytes, head_only: bool = False) -> list[Answer]:
    """
    Parse responses, which must be complete and have a length.

    :param head_only: whether they are responses to HEAD.
    """
    found = []
    while data:
        head, end, rest = data.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        code = int(status.split()[1])
        if headers.get("transfer-encoding") == "chunked" and not head_only:
            body, rest = _joined(rest)
        else:
            size = 0 if head_only or code in (204, 304) else int(headers["content-length"])
            body, rest = rest[:size], rest[size:]
            end = end if len(body) == size else b""
        if not end:
            raise ValueError(f"an answer is not whole: {data!r:.200}")
        found.append(Answer(code, headers, body, data[: len(data) - len(rest)]))
        data = rest
    return found


def _joined(chunks: bytes) -> tuple[bytes, bytes]:
    joined = b""
    while True:
        line, _, rest = chunks.partition(b"\r\n")
        size = int(line, 16)
        joined, chunks = joined + rest[:size], rest[size + 2 :]
        if not size:
            return joined, chunks


def request(method: str, target: str, headers: dict[str, str] | None = None, body: bytes = b"") -> bytes:
    """Return an HTTP request."""
    fields = {"Host": "patches", **(headers or {})}
    if body:
        fields["Content-Length"] = str(len(body))
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
