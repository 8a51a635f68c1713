"""A web in memory: real clients, and servers that respond to each request with exactly the bytes of a test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from attrs import frozen
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IProtocolFactory, IReactorTime, IStreamClientEndpoint
from twisted.internet.protocol import Protocol
from twisted.test.iosim import FakeTransport, IOPump, connect
from twisted.web.client import URI, Agent
from twisted.web.iweb import IAgentEndpointFactory
from zope.interface import implementer


@frozen
class Asked:
    """
    A request as received.

    :ivar url: its URL.
    :ivar headers: by their names in lower case.
    """

    url: str
    headers: dict[str, str]


@frozen
class Told:
    """
    A response.

    :ivar closes: whether the connection is closed after it.
    """

    data: bytes
    closes: bool = False


def told(status: int, body: bytes = b"", closes: bool = False, **headers: str) -> Told:
    """Return a response; its length is announced unless a header says otherwise, or the connection closes after it."""
    lines = {name.replace("_", "-").lower(): value for name, value in headers.items()}
    if not closes and "content-length" not in lines:
        lines["content-length"] = str(len(body))
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return Told(f"HTTP/1.1 {status} X\r\n{head}\r\n".encode("latin-1") + body, closes)


class Server(Protocol):
    """Parses requests without bodies, and responds to each."""

    def __init__(self, origin: str, answer: Callable[[Asked], Told]) -> None:
        self._origin = origin
        self._answer = answer
        self._data = b""

    def dataReceived(self, data: bytes) -> None:
        self._data += data
        while b"\r\n\r\n" in self._data and self.transport is not None:
            head, _, self._data = self._data.partition(b"\r\n\r\n")
            first, *lines = head.decode("latin-1").split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
            answer = self._answer(Asked(self._origin + first.split()[1], headers))
            self.transport.write(answer.data)
            if answer.closes:
                self.transport.loseConnection()


@implementer(IAgentEndpointFactory)
class Web:
    """
    All servers of the web.

    :param answer: returns the response to a request.
    """

    def __init__(self, answer: Callable[[Asked], Told]) -> None:
        self.asked: list[Asked] = []
        self._answer = answer
        self._pumps: list[IOPump] = []

    def agent(self, clock: IReactorTime) -> Agent:
        """Create an agent in this web."""
        return Agent.usingEndpointFactory(clock, self)

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:
        parts = urlsplit(uri.toBytes().decode("ascii"))
        return _Endpoint(self, f"{parts.scheme}://{parts.netloc}")

    def connect(self, origin: str, factory: IProtocolFactory) -> Any:
        """Connect a client to one of the servers."""
        client, server = factory.buildProtocol(None), Server(origin, self._note)
        sides = FakeTransport(server, isServer=True), FakeTransport(client, isServer=False)
        self._pumps.append(connect(server, sides[0], client, sides[1]))
        return client

    def flush(self) -> None:
        """Deliver the data in transit, until there is no more."""
        while any(pump.flush() for pump in self._pumps):
            pass

    def push(self, data: bytes) -> None:
        """Send more of the response of the last connection's server."""
        self._pumps[-1].server.transport.write(data)
        self.flush()

    def _note(self, asked: Asked) -> Told:
        self.asked.append(asked)
        return self._answer(asked)


@implementer(IStreamClientEndpoint)
@frozen
class _Endpoint:
    web: Web
    origin: str

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[Any]:
        return succeed(self.web.connect(self.origin, protocolFactory))
