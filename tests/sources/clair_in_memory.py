"""A Clair, a source that reads it, and time, all in memory."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from treq.client import HTTPClient
from treq.testing import RequestTraversalAgent, StubTreq
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import IResource, Resource
from twisted.web.server import NOT_DONE_YET, Request

from patches.sources.clair.listing import ClairListing
from patches.sources.clair.source import ClairSettings, ClairSource
from patches.sources.fetch.clients import FirstEncoding
from patches.sources.fetch.retry import FetchSettings
from patches.testing import ClairDouble
from patches.vulnerability import Vulnerability

T = TypeVar("T")
JSON = "application/json;charset=utf-8"


class Scripted(Resource):
    """Responds to each request with the result of a function of its target; ``None``: not before :meth:`release`."""

    isLeaf = True

    def __init__(self, answer: Callable[[str], tuple[int, bytes] | None]) -> None:
        super().__init__()
        self._answer = answer
        self.held: dict[str, Request] = {}
        self.targets: list[str] = []
        self.encodings: list[list[str]] = []
        self.lost: list[str] = []

    def render(self, request: Request) -> int:
        target = request.uri.decode("ascii")
        self.targets.append(target)
        self.encodings.append(list(request.requestHeaders.getRawHeaders("Accept-Encoding", [])))
        answer = self._answer(target)
        if answer is None:
            self.held[target] = request
            request.notifyFinish().addErrback(lambda failure: self.lost.append(target))
        else:
            self._send(request, *answer)
        return NOT_DONE_YET

    def release(self, target: str, status: int, body: bytes) -> None:
        """Respond to a waiting request; the client receives it when the connection is flushed."""
        self._send(self.held.pop(target), status, body)

    def _send(self, request: Request, status: int, body: bytes) -> None:
        request.setResponseCode(status)
        request.setHeader("Content-Type", JSON)
        request.setHeader("Location", "/elsewhere")
        request.write(body)
        request.finish()


class MemoryCase(SynchronousTestCase):
    """A case with a double of Clair, a clock, and helpers that read the double."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1_000_000)
        self.double = ClairDouble(self.clock, keep_targets=True)
        self.resource: Any = self.double.resource()

    def source(self, base_url: str = "http://clair.test:6060", page_size: int = 999, **fetch: Any) -> ClairSource:
        """Create a source that reads ``self.resource``."""
        agent = RequestTraversalAgent(self.resource)
        self._flush = agent.flush
        settings = ClairSettings(page_size, FetchSettings(**fetch), quiet_seconds=0.0)
        client = HTTPClient(FirstEncoding(agent))
        return ClairSource(client, base_url, self.clock, settings, jitter=lambda: 0.0)

    def deferred(self, awaitable: Coroutine[Any, Any, T]) -> Deferred[T]:
        """Start an awaitable."""
        return Deferred.fromCoroutine(awaitable)

    def stub_source(self) -> ClairSource:
        """Create a source on plain treq."""
        return ClairSource(StubTreq(self.resource), "http://clair.test", self.clock)

    def reading(self, listing: ClairListing) -> Deferred[list[Vulnerability]]:
        """Start to read a list to its end."""

        async def read() -> list[Vulnerability]:
            return [vulnerability async for vulnerability in listing]

        return Deferred.fromCoroutine(read())

    def read(self, listing: ClairListing) -> list[Vulnerability]:
        """Read a list that needs no time."""
        return self.successResultOf(self.reading(listing))

    def refusal(self, listing: ClairListing, kind: type[Exception]) -> str:
        """Read a list that cannot be read, however long it takes. Return the message of its error."""
        reading = self.reading(listing)
        self.pass_time(600)
        return self.message(self.failureResultOf(reading, kind))

    def message(self, failure: Failure) -> str:
        """Return the message of an error, which must be a single line."""
        text = str(failure.value)
        self.assertNotIn("\n", text)
        return text

    def pass_time(self, seconds: float, step: float = 1.0) -> None:
        """Advance the clock, and deliver the requests of that time."""
        self._flush()
        for _ in range(round(seconds / step)):
            self.clock.advance(step)
            self._flush()


def named(*names: str) -> list[dict[str, Any]]:
    """Return vulnerabilities that have little more than a name."""
    return [{"Name": name, "FixedIn": [{"Name": "made-up", "Version": "1.0-1"}]} for name in names]


class Meddling(Resource):
    """Calls a function before it forwards a request: a concurrent change."""

    isLeaf = True

    def __init__(self, resource: IResource, meddle: Callable[[str], None]) -> None:
        super().__init__()
        self._resource = resource
        self._meddle = meddle

    def render(self, request: Request) -> Any:
        self._meddle(request.uri.decode("ascii"))
        return self._resource.render(request)
