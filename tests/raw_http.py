"""HTTP as bytes: the response of a resource to a request that is written exactly as the test needs it."""

from __future__ import annotations

import gzip

from attrs import frozen
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web.resource import IResource
from twisted.web.server import Site


@frozen
class HttpClient:
    """
    A response as received.

    :ivar headers: all except the date, by their names in lower case.
    :ivar body: without chunks and compression.
    :ivar closed: whether the server closed the connection.
    """

    status: int | None
    headers: dict[str, str]
    body: bytes
    closed: bool


class Connection:
    """A connection to a resource."""

    def __init__(self, resource: IResource) -> None:
        self._transport = StringTransport()
        self._protocol = Site(resource, reactor=Clock()).buildProtocol(None)
        self._protocol.makeConnection(self._transport)

    def send(self, method: str, target: str, headers: dict[str, str] | None = None, version: str = "HTTP/1.1") -> None:
        """Send a request."""
        lines = [f"{method} {target} {version}", "Host: clair", *(f"{k}: {v}" for k, v in (headers or {}).items())]
        self._protocol.dataReceived("\r\n".join([*lines, "", ""]).encode("latin-1"))

    def received(self) -> HttpClient:
        """Return the response that was received."""
        data = self._transport.value()
        self._transport.clear()
        head, _, body = data.partition(b"\r\n\r\n")
        status, *lines = head.decode("ascii").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        headers.pop("date", None)
        if headers.get("transfer-encoding") == "chunked":
            body = _joined(body)
        if headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        return HttpClient(int(status.split()[1]) if status else None, headers, body, self._transport.disconnecting)

    def ask(self, method: str, target: str, headers: dict[str, str] | None = None) -> HttpClient:
        """Send a request that is answered at once. Return the response."""
        self.send(method, target, headers)
        return self.received()

    def drop(self) -> None:
        """Close the connection from the client's side."""
        self._transport.loseConnection()
        self._protocol.connectionLost(Failure(ConnectionDone()))


def _joined(chunks: bytes) -> bytes:
    joined = b""
    while chunks:
        size, _, rest = chunks.partition(b"\r\n")
        joined += rest[: int(size, 16)]
        chunks = rest[int(size, 16) + 2 :]
    return joined
