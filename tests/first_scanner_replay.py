"""
The first Patches scanner, replayed in simulated time against a server and a reporter in memory.

The scanner speaks both protocols as the original does: it asks ``/vulns`` every 200 ms, and runs ``rpm -qa`` or
``dpkg -l`` for each fixed package before it asks again; every five minutes it posts what it has found, one copy for
each package.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from attrs import define, field, frozen
from treq.testing import StubTreq
from twisted.internet.defer import Deferred, ensureDeferred, maybeDeferred
from twisted.internet.testing import MemoryReactorClock

from patches.http.routes import RoutedResource
from patches.reporter.api import Api
from patches.reporter.schema import open_database
from patches.reporter.store import ReportStore
from patches.server.assembly.http import create_http
from patches.server.assembly.memory import create_governor
from patches.server.assembly.refresh import create_refresh
from patches.server.assembly.sessions import create_sessions
from patches.server.assembly.shared import Shared
from patches.server.assembly.storage import open_storage
from patches.server.catalogue.availability.watch import CatalogueWatch
from patches.server.configured_sources import ConfiguredSources
from patches.server.options import CatalogueSettings, HttpSettings, RefreshSettings, SessionSettings
from patches.server.refresh.schedule import NoPublicSources
from patches.service.budget import Budget
from patches.sources.fetch.cache import FileCache
from patches.sources.worker.workers import Workers
from patches.vulnerability import FixedPackage, Severity, Vulnerability
from patches.wire import encode_line
from tests.server.fake_connections import FakeConnections
from tests.server.memory_transport import Wire, answers, request

#: The original's pauses: between two requests, and between two reports; in seconds.
POLL_SECONDS, REPORT_SECONDS = 0.2, 300.0
START = datetime(2026, 1, 1, tzinfo=UTC)


@frozen
class Recorded:
    """
    The size of a list that Clair 2 was recorded with, and the time that a scanner needs for each fixed package.

    :ivar affected: the number of records with a fixed package.
    :ivar packages: the number of fixed packages of all records.
    :ivar most: that of the record with most of them.
    :ivar call: the seconds that ``rpm -qa`` or ``dpkg -l`` takes.
    """

    platform: str
    records: int
    affected: int
    packages: int
    most: int
    call: float

    def lines(self) -> Iterator[bytes]:
        """Yield made-up records, as many and with as many packages as those that were recorded, in the wire format."""
        for number in range(self.records):
            before, now = (each * self.affected // self.records for each in (number, number + 1))
            fixed = tuple(FixedPackage(f"package-{each}", f"1:{each}-1") for each in range(self._packages(before, now)))
            name = f"CVE-2016-{number:05}"
            yield encode_line(Vulnerability(name, self.platform, fixed, Severity(number % 7), f"https://x/{name}"))

    def _packages(self, before: int, now: int) -> int:
        """Return the number of packages of a record, before which so many are affected, and with which so many."""
        if before == now:
            return 0
        if before == self.affected // 2:
            return self.most
        rest, others = self.packages - self.most, self.affected - 1
        place = before - (before > self.affected // 2)
        return (place + 1) * rest // others - place * rest // others


RECORDED = (
    Recorded("ubuntu-16.04", 13_595, 8_930, 10_483, 13, 0.010),
    Recorded("ubuntu-18.04", 8_899, 4_711, 5_215, 7, 0.010),
    Recorded("debian-9", 6_030, 5_584, 6_341, 4, 0.010),
    Recorded("centos-7", 2_601, 2_601, 22_282, 221, 0.030),
)


def result(waiting: Deferred[Any]) -> Any:
    """Return the result of a Deferred that has fired."""
    found: list[Any] = []
    waiting.addCallback(found.append)
    return found[0]


class ReplayedServer:
    """A server with its parts as the daemon has them, on a clock, without threads and sockets."""

    def __init__(self, folder: Path, lists: Iterable[tuple[str, Iterable[bytes]]]) -> None:
        self.reactor: Any = MemoryReactorClock()
        self.budget = Budget(1 << 25)
        watch = CatalogueWatch(FakeConnections(), maybeDeferred, maybeDeferred, self.reactor)
        shared = Shared(self.reactor, maybeDeferred, watch, self.budget, folder)
        self.storage = open_storage(CatalogueSettings(), folder, maybeDeferred)
        for platform, lines in lists:
            self.storage.catalogue.publish(platform, lines, {}, 0.0)
        self.sessions = create_sessions(SessionSettings(), shared, self.storage.catalogue)
        sources = ConfiguredSources(
            (), NoPublicSources(), {}, lambda: None, Workers(self.reactor, 0), FileCache(Path())
        )
        refresh = create_refresh(RefreshSettings(), shared, self.storage, sources, self.sessions.revisions_in_use)
        result(ensureDeferred(refresh.refresher.load_current()))
        governor = create_governor(1 << 40, shared, tuple)
        http = create_http(HttpSettings(), governor, shared, self.storage, self.sessions, refresh)
        for service in (http.listening, self.sessions.expiring):
            service.privilegedStartService()
            service.startService()
        self._site = self.reactor.tcpServers[0][1]

    def ask(self, path: str) -> Any:
        """Send a request on a connection of its own. Return the JSON of the response."""
        wire = Wire(self._site.buildProtocol(None))
        wire.send(request("GET", path))
        (answer,) = answers(wire.received)
        wire.hang_up()
        return json.loads(answer.body)

    def sleep(self, seconds: float) -> None:
        """Advance the clock, in steps of a second at most: every tick of the server happens."""
        while seconds > 0:
            self.reactor.advance(min(1.0, seconds))
            seconds -= 1.0

    def close(self) -> None:
        """Close the database."""
        self.storage.catalogue.close()


class ReplayedReporter:
    """A reporter whose time is that of a server."""

    def __init__(self, folder: Path, server: ReplayedServer) -> None:
        self._engine = open_database(folder / "reports.sqlite")
        api = Api(ReportStore(self._engine), maybeDeferred, lambda: START + timedelta(seconds=server.reactor.seconds()))
        self._treq: Any = StubTreq(RoutedResource(api.app))

    def ask(self, method: str, path: str, document: Any = None) -> Any:
        """Send a request. Return the JSON of the response, which must be a success."""
        data = json.dumps(document).encode() if document is not None else None
        response = result(self._treq.request(method, f"http://reporter{path}", data=data))
        body = json.loads(result(response.content()))
        assert response.code == 200, body
        return body

    def close(self) -> None:
        """Close the database."""
        self._engine.dispose()


@define(eq=False)
class OriginalScanner:
    """
    One scan of the first Patches scanner, on a host that has every package.

    :ivar received: the names of the records, in the order of their receipt.
    :ivar error: the error with which the stream ended; ``None``: it was complete.
    :ivar silence: the longest time between an answer and the next request, in seconds.
    :ivar parts: the number of records in each report.
    :ivar found: the names of the records in them.
    """

    server: ReplayedServer
    reporter: ReplayedReporter
    recorded: Recorded
    received: list[str] = field(factory=list)
    error: str | None = None
    silence: float = 0.0
    requests: int = 0
    seconds: float = 0.0
    parts: list[int] = field(factory=list)
    found: set[str] = field(factory=set)
    _batch: list[Any] = field(factory=list)
    _reported: float = 0.0

    def scan(self) -> OriginalScanner:
        """Read the list to its end, or to the first error, as the original does, and report."""
        clock = self.server.reactor
        began = self._reported = clock.seconds()
        path = base = f"/vulns?platform={self.recorded.platform}"
        while True:
            page = self.server.ask(path)
            self.requests += 1
            answered = clock.seconds()
            if page["error"] is not None:
                self.error = page["error"]
                break
            for record in page["vulns"]:
                self._examine(record)
            if page["finished"]:
                break
            path = f"{base}&requestID={page['requestID']}"
            self._sleep(POLL_SECONDS)
            self.silence = max(self.silence, clock.seconds() - answered)
        self.seconds = clock.seconds() - began
        self._sleep(REPORT_SECONDS)
        return self

    def _examine(self, record: Any) -> None:
        """Run a process for each fixed package; the record is found once for each."""
        self.received.append(record["name"])
        known = ("name", "affectedPackageName", "affectedPlatform", "detailsHref", "severityRating")
        packages = [{"name": each["name"], "version": each["version"] or ""} for each in record["fixedInPackages"]]
        for _ in packages:
            self.found.add(record["name"])
            self._sleep(self.recorded.call)
            self._batch.append({**{name: record[name] for name in known}, "fixedInPackages": packages})

    def _sleep(self, seconds: float) -> None:
        self.server.sleep(seconds)
        now = self.server.reactor.seconds()
        if now - self._reported >= REPORT_SECONDS:
            self._reported = now
            if self._batch:
                self.reporter.ask("POST", "/", {"vulnerabilities": self._batch})
                self.parts.append(len(self._batch))
                self._batch = []
