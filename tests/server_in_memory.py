"""A server in memory, without HTTP: source, refresher, catalogue, sessions, and a clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred, maybeDeferred, succeed
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from zope.interface import implementer

from patches.interfaces import IListing, ISource, Offer, RecordKey
from patches.server.budget import REFRESH, REFRESH_BYTES
from patches.server.catalogue.schema import open_database
from patches.server.catalogue.store import Catalogue
from patches.server.refresh.on_demand import RequestedPlatforms
from patches.server.refresh.platforms import PlatformRegistry
from patches.server.refresh.poller import Poller
from patches.server.refresh.publication.enriching import EnrichedPlatforms
from patches.server.refresh.publication.publisher import Guard, Publisher
from patches.server.refresh.publication.queue import PublicationQueue
from patches.server.refresh.refresher import Refresher
from patches.server.refresh.requests_table import RequestTable
from patches.server.refresh.schedule import NoPublicSources, RefreshContext, Schedule
from patches.server.refresh.source_set import SourceSet
from patches.server.refresh.staging import StagingStore
from patches.server.sessions.chunk_response import MAX_RESPONSE_BYTES, ChunkResponse, create_response
from patches.server.sessions.service import SessionService
from patches.server.sessions.session import Limits, Session
from patches.server.sessions.sessions import ReadResult
from patches.server.sessions.tokens import TokenKey
from patches.service.budget import Budget
from patches.vulnerability import FixedPackage, Vulnerability

PLATFORM = "debian-12"


@implementer(ISource)
class ListSource:
    """
    A source with one list, of a given number of chunks.

    :ivar read: the number of times that it was read.
    """

    name = "made-up"

    def __init__(self, chunks: int) -> None:
        self.read = 0
        self._chunks = chunks

    rank = 0
    ask_within = None
    enriches = None
    worker_bytes = 0
    lists_at_once = 1
    left_out: Mapping[str, str] = {}

    def rest(self) -> None:
        """Do nothing."""

    async def offers(self) -> list[Offer]:
        """Return an offer of the only list."""
        return [Offer(PLATFORM, platform=PLATFORM)]

    def listing(self, key: str, since: str | None = None) -> ListListing:
        """Return a listing."""
        self.read += 1
        return ListListing(self._chunks)


@implementer(IListing)
class ListListing:
    """Vulnerabilities that compress badly, each of which fills a chunk."""

    partial = False
    state = None
    gone: frozenset[RecordKey] = frozenset()
    is_growing = False

    def __init__(self, chunks: int) -> None:
        self.skipped: Counter[str] = Counter()
        self.claimed, self.found = chunks, 0
        self._chunks = chunks

    async def __aiter__(self) -> AsyncIterator[Vulnerability]:
        for number in range(self._chunks):
            noise = Random(number).randbytes(30_000).hex()
            href = f"https://example.org/{noise}" + "x" * 100_000
            self.found += 1
            yield Vulnerability(f"CVE-{number:04d}", PLATFORM, (FixedPackage("sudo", "1"),), details_href=href)


class WholeServer:
    """
    The parts of a server, connected, with its list published.

    :param folder: for the catalogue; it is created.
    :param room: the number of chunks of the largest size that a window may hold.
    :param memory: the bytes of the budget, besides those of the refresh.
    :ivar loaded: the numbers of the chunks that were read from the catalogue.
    """

    def __init__(self, folder: Path, chunks: int, limits: Limits, room: int, memory: int) -> None:
        folder.mkdir()
        self.clock = Clock()
        self.clock.advance(1)  # at zero, nothing was ever checked
        self.source = ListSource(chunks)
        self.loaded: list[int] = []
        self.budget = Budget(memory + REFRESH_BYTES, {REFRESH: REFRESH_BYTES})
        self.key = TokenKey(b"k" * 32)
        engine = open_database(folder / "catalogue.sqlite")
        self.catalogue = Catalogue(engine)
        schedule = Schedule(timedelta(hours=6), jitter=lambda: 0.0)
        context = RefreshContext(schedule, maybeDeferred, self.clock, self.clock.seconds)
        lists = StagingStore(folder / "lists.sqlite")
        source_set = SourceSet([self.source], NoPublicSources())
        requested = RequestedPlatforms(RequestTable(engine), NoPublicSources(), maybeDeferred, self.clock.seconds)
        queue = PublicationQueue(context, Publisher(self.catalogue, lists, Guard(), folder))
        registry = PlatformRegistry(context, self.catalogue, source_set, requested)
        enriched = EnrichedPlatforms(context, self.catalogue, lists, source_set)
        poller = Poller(context, lists, self.budget, queue)
        self.refresh = Refresher(context, source_set, registry, poller, queue, enriched)
        window_bytes = room * MAX_RESPONSE_BYTES
        self.session_service = SessionService(limits, self.key, self.budget, self._load, window_bytes, self.clock)
        self._now(ensureDeferred(self.refresh.tick()))

    def _load(self, revision: str, number: int) -> Deferred[ChunkResponse]:
        self.loaded.append(number)
        return succeed(create_response(self.catalogue.chunk(revision, number), 0.0))

    def open(self) -> Session:
        """Open a session."""
        return self.session_service.open(self.refresh.registry.current(PLATFORM))

    def resume(self, session: Session, chunk: int) -> Session:
        """Resume a session."""
        return self.session_service.resume(session.token, self.refresh.registry.current(PLATFORM), chunk)

    def ask(self, session: Session, number: int) -> ReadResult:
        """Return a chunk that must be available without a wait; ``None``: the stream is finished."""
        return self._now(ensureDeferred(self.session_service.read(session.token, number)))

    def try_to_ask(self, session: Session, number: int) -> ChunkResponse | None:
        """Return a chunk if it is available without a wait."""
        return self.session_service.read_cached(session.token, number)

    def wait(self, seconds: int) -> None:
        """Advance the clock, with a tick of the sessions each second."""
        for _ in range(seconds):
            self.clock.advance(1)
            self.session_service.tick()

    def _now(self, deferred: Deferred[Any]) -> Any:
        results: list[Any] = []
        failures: list[Failure] = []
        deferred.addCallbacks(results.append, failures.append)
        for failure in failures:
            failure.raiseException()
        return results[0]
