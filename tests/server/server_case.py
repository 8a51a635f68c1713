"""A case with a whole server in memory: a source, a catalogue, sessions, the API and its channels."""

from __future__ import annotations

import json
import random
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred, maybeDeferred

from patches.http.routes import RoutedResource
from patches.server.assembly.sessions import load_chunk
from patches.server.budget import REFRESH, REFRESH_BYTES
from patches.server.catalogue.availability.watch import CatalogueWatch
from patches.server.catalogue.chunks import TARGET_BYTES
from patches.server.catalogue.delta_store import DeltaStore
from patches.server.catalogue.deltas import Deltas
from patches.server.catalogue.publication_store import PublicationStore
from patches.server.first_scanner.metrics import FirstScannerMetrics
from patches.server.first_scanner.service import FirstScannerService
from patches.server.first_scanner.slice_sessions import SliceLimits
from patches.server.http.api import Api
from patches.server.http.channel import ServerSite
from patches.server.http.client_addresses import ClientAddresses, IPNetwork
from patches.server.http.memory_metrics import MemoryMetrics
from patches.server.http.metrics import Metrics
from patches.server.http.representations import DescribeSnapshot, snapshot_document
from patches.server.http.vulnerabilities import VulnerabilityLookup
from patches.server.http.vulns import VulnsRoute
from patches.server.sessions.service import SessionService
from patches.server.sessions.session import Limits
from patches.server.sessions.tokens import TokenKey
from patches.service.budget import CONNECTION_BYTES, CONNECTIONS, Budget
from patches.service.memory_governor import MemoryGovernor
from patches.vulnerability import Vulnerability
from tests.server.fake_catalogue import vulnerability
from tests.server.fake_connections import FakeConnections
from tests.server.fake_source import RefreshCase
from tests.server.memory_transport import Answer, Wire, answers, request

MIB = 1 << 20
GZIP = {"Accept-Encoding": "gzip"}


def bulky(count: int, platform: str = "debian-12") -> list[Vulnerability]:
    """Create records of which three fill a chunk."""
    noise, filler = random.Random(0), "a" * (TARGET_BYTES * 5 // 16 - 34_000)
    return [vulnerability(number, platform, noise.randbytes(17_000).hex() + filler) for number in range(count)]


class ServerCase(RefreshCase):
    """A case with a server that has a list of Debian in three chunks, and one of Alpine in one."""

    limits = Limits(max_active=2, max_queued=2, session_timeout=30, queue_timeout=60, chunk_timeout=20)
    slice_limits = SliceLimits(places=2)
    memory = 4 * MIB
    window_bytes = 256 * 1024
    trusted: tuple[IPNetwork, ...] = ()
    describe: DescribeSnapshot = staticmethod(snapshot_document)
    fast_path = True
    wire = Wire

    def setUp(self) -> None:
        super().setUp()
        self.source.lists = {"debian-12": [*bulky(9)]}
        self.put("alpine-3.20", 5)
        shares = {REFRESH: REFRESH_BYTES, CONNECTIONS: 8 * CONNECTION_BYTES}
        self.budget = Budget(self.memory + REFRESH_BYTES, shares)
        self.store = DeltaStore(self.catalogue._engine)
        self.key = TokenKey(b"k" * 32)
        self.start()
        self.tick()

    def start(self) -> None:
        """Start a server, or a new one on the same catalogue."""
        self.refresh = self.create_refresher()
        self.connections = FakeConnections()
        self.watch = CatalogueWatch(self.connections, maybeDeferred, maybeDeferred, self.clock)
        load = partial(load_chunk, self.watch.run, self.catalogue, self.wall)
        self.session_service = SessionService(self.limits, self.key, self.budget, load, self.window_bytes, self.clock)
        self.first_scanner = FirstScannerService(
            self.slice_limits, self.key, self.budget, self.catalogue, self.watch.run, self.clock
        )
        self.session_service.on_damage = self.first_scanner.on_damage = self.refresh.registry.note_damage
        of_first = FirstScannerMetrics(self.first_scanner, lambda: self.refresh.statuses)
        self.metrics = Metrics(self.session_service, self.refresh, self.wall, (of_first,), self.watch)
        self.deltas = Deltas(self.catalogue, self.store, self.budget, maybeDeferred, self.clock)
        parts = self.session_service, self.refresh, self.deltas, self.budget, self.metrics
        lookup = VulnerabilityLookup(PublicationStore(self.catalogue._engine), self.watch.run)
        addresses = ClientAddresses(self.trusted)
        vulns = VulnsRoute(self.first_scanner, self.refresh.registry, self.budget, addresses)
        more = {"watch": self.watch, "vulnerabilities": lookup, "vulns": vulns}
        api = Api(*parts, addresses, self.wall, self.describe, **more)
        self.resource = RoutedResource(api.app)
        self.site = ServerSite(
            self.resource,
            self.budget,
            self.session_service.read_cached,
            self.clock,
            fast_path=self.fast_path,
            revision_of=self.refresh.registry.revision_of,
            wall=self.wall,
        )
        self.governor = MemoryGovernor(64 * MIB, lambda: 2 * MIB, self.budget, (), self.clock)
        self.metrics.add(MemoryMetrics(self.budget, self.governor, self.site))

    def started(self) -> Deferred[None]:
        """Load the catalogue."""
        return ensureDeferred(self.refresh.load_current())

    def connect(self, takes: int | None = None) -> Wire:
        """Connect a client."""
        return self.wire(self.site.buildProtocol(None), takes)

    def ask(
        self,
        method: str,
        target: str,
        headers: dict[str, str] | None = None,
        body: bytes = b"",
        wire: Wire | None = None,
    ) -> Answer:
        """Send a request that is answered at once, on a new connection or the given one."""
        line = wire or self.connect()
        line.received = b""
        line.send(request(method, target, headers, body))
        (answer,) = answers(line.received, head_only=method == "HEAD")
        if wire is None:
            line.hang_up()
        return answer

    def post(self, document: Any) -> Answer:
        """Open or resume a session."""
        return self.ask("POST", "/v1/sessions", body=json.dumps(document).encode())

    def open(self, platform: str = "debian-12") -> str:
        """Open a session; return the path of its resource."""
        answer = self.post({"platform": platform})
        self.assertEqual(answer.status, 201, answer)
        return answer.headers["location"]

    def read(self, path: str, n: int) -> Answer:
        """Request a chunk, compressed."""
        return self.ask("GET", f"{path}/chunks/{n}", GZIP)

    def refused(self, answer: Answer, status: int, code: str) -> dict[str, Any]:
        """Check that a response is the given error, as a JSON document; return the error."""
        document = json.loads(answer.body)
        self.assertEqual((answer.status, document["error"]["code"]), (status, code), document)
        self.assertEqual(answer.headers["content-type"], "application/json")
        self.assertEqual(set(document["error"]), {"code", "message"})
        self.assertTrue(document["error"]["message"])
        return document["error"]
