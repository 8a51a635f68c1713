"""A vulnerability source whose lists are set by a test, and a case with a refresher that reads it."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping
from datetime import timedelta
from pathlib import Path

from sqlalchemy import URL
from twisted.internet.defer import Deferred, ensureDeferred, maybeDeferred
from twisted.internet.task import Clock
from zope.interface import implementer

from patches.errors import NotThere
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
from patches.server.refresh.schedule import NoPublicSources, PublicSourceProvider, RefreshContext, Schedule
from patches.server.refresh.source_set import SourceSet
from patches.server.refresh.staging import StagingStore
from patches.service.budget import Budget
from patches.vulnerability import Vulnerability
from tests.server.databases import DatabaseCase
from tests.server.fake_catalogue import vulnerabilities

HOUR = 3600.0
NOW = 1_700_000_000.0


@implementer(ISource)
class PutSource:
    """
    A source whose lists are set by a test.

    :ivar lists: by platform, the items of a listing: vulnerabilities, errors to raise, and Deferreds to wait for.
    :ivar states: by platform, the state that is offered.
    :ivar claimed: the number of entries that each listing claims to have.
    :ivar trouble: the error that is raised when the offers are requested.
    :ivar asked: the requests in order: ``offers``, or the key of a list.
    """

    ask_within: timedelta | None = None
    worker_bytes = 0
    enriches: str | None = None
    lists_at_once = 1
    left_out: Mapping[str, str] = {}

    def __init__(self, name: str = "put", rank: int = 0) -> None:
        self.name = name
        self.rank = rank
        self.states: dict[str, str] = {}
        self.claimed: int | None = None
        self.lists: dict[str, list[object]] = {}
        self.skipped: Counter[str] = Counter()
        self.trouble: Exception | None = None
        self.asked: list[str] = []

    def rest(self) -> None:
        """Note that no list is read in the near future."""

    async def offers(self) -> list[Offer]:
        """Return an offer for each list."""
        self.asked.append("offers")
        if self.trouble is not None:
            raise self.trouble
        return [Offer(key, self.states.get(key), None if self.enriches else key) for key in self.lists]

    def listing(self, key: str, since: str | None = None) -> PutListing:
        """Return a listing of the list that was set."""
        self.asked.append(key)
        return PutListing(self.lists[key], Counter(self.skipped), self.claimed)


@implementer(IListing)
class PutListing:
    """A listing of one import."""

    partial = False
    state = None
    gone: frozenset[RecordKey] = frozenset()
    is_growing = False

    def __init__(self, content: list[object], skipped: Counter[str], claimed: int | None) -> None:
        self.skipped = skipped
        self.claimed = claimed
        self.found = skipped.total()
        self._content = content

    async def __aiter__(self) -> AsyncIterator[Vulnerability]:
        for item in list(self._content):
            if isinstance(item, Exception):
                self._content.remove(item)  # the error is raised once only
                raise item
            if isinstance(item, Deferred):
                await item
            elif isinstance(item, Vulnerability):
                self.found += 1
                yield item


class PutPublic:
    """
    Public sources whose lists are set by a test: one for each family, with all its requested platforms.

    :ivar lists: the items of a listing, by platform.
    :ivar made: the sources that were created, by family.
    :ivar about_all: the sources about all platforms.
    """

    families = ("debian", "ubuntu", "fedora")

    def __init__(self) -> None:
        self.lists: dict[str, list[object]] = {}
        self.made: dict[str, PutFeed] = {}
        self.about_all: list[PutSource] = []

    def has(self, platform: str) -> bool:
        """Return whether a platform belongs to one of the families."""
        return platform.partition("-")[0] in self.families

    def sources(self, platforms: Collection[str]) -> dict[str, PutFeed]:
        """Return the sources that read these platforms."""
        found: dict[str, PutFeed] = {}
        for feed in self.made.values():
            feed.wanted = set()
        for platform in filter(self.has, platforms):
            family = platform.partition("-")[0]
            kind = PutBranches if family == "fedora" else PutFeed
            feed = self.made.setdefault(family, kind(f"public-{family}", self.lists))
            feed.wanted.add(platform)
            found[platform] = feed
        return found

    def enriching(self) -> list[PutSource]:
        """Return the sources about all platforms that were set."""
        return self.about_all


class PutFeed(PutSource):
    """A source with one list, whose platforms are known only after an import."""

    def __init__(self, name: str, lists: dict[str, list[object]]) -> None:
        super().__init__(name)
        self.lists = lists
        self.wanted: set[str] = set()

    async def offers(self) -> list[Offer]:
        """Return an offer of the list."""
        self.asked.append("offers")
        if self.trouble is not None:
            raise self.trouble
        return [Offer("all", " ".join(sorted(self.wanted)))]

    def listing(self, key: str, since: str | None = None) -> PutListing:
        """Return a listing of the requested platforms."""
        self.asked.append(key)
        wanted = [each for platform in sorted(self.wanted) for each in self.lists.get(platform, [])]
        return PutListing(wanted, Counter(), None)


class PutBranches(PutFeed):
    """A source with a file for each platform, which it offers before it knows whether the file exists."""

    async def offers(self) -> list[Offer]:
        """Return an offer for each file."""
        self.asked.append("offers")
        return [Offer(platform, platform=platform) for platform in sorted(self.wanted)]

    def listing(self, key: str, since: str | None = None) -> PutListing:
        """Return a listing of a file."""
        self.asked.append(key)
        return PutListing(self.lists.get(key, [NotThere("it answered 404")]), Counter(), None)


class RefreshCase(DatabaseCase):
    """A case with a refresher of one source, which has a list of Debian."""

    interval = timedelta(hours=1)
    platforms: tuple[str, ...] = ()
    parallel = 2

    def setUp(self) -> None:
        self.clock = Clock()
        self.source = PutSource()
        self.configured: list[ISource] = [self.source]
        self.put("debian-12", 10)
        self.public: PublicSourceProvider = NoPublicSources()
        self.budget = Budget(REFRESH_BYTES, {REFRESH: REFRESH_BYTES})
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.open_catalogue(self.new_database())
        self.lists = StagingStore(self.folder / "lists.sqlite")
        self.addCleanup(self.lists.close)
        self.refresh = self.create_refresher()

    def open_catalogue(self, where: Path | URL) -> None:
        """Open a catalogue for servers that are created from now on."""
        engine = open_database(where)
        self.catalogue, self.request_table = Catalogue(engine), RequestTable(engine)
        self.addCleanup(self.catalogue.close)

    def create_refresher(self, *more: PutSource) -> Refresher:
        """Create a refresher, as a server that starts does."""
        self.publisher = Publisher(self.catalogue, self.lists, Guard(), self.folder)
        schedule = Schedule(self.interval, self.platforms, parallel=self.parallel, jitter=lambda: 0.0)
        context = RefreshContext(schedule, maybeDeferred, self.clock, self.wall, steady=self.steady)
        source_set = SourceSet([*self.configured, *more], self.public)
        requested = RequestedPlatforms(self.request_table, self.public, maybeDeferred, self.wall)
        queue = PublicationQueue(context, self.publisher)
        registry = PlatformRegistry(context, self.catalogue, source_set, requested)
        enriched = EnrichedPlatforms(context, self.catalogue, self.lists, source_set)
        poller = Poller(context, self.lists, self.budget, queue)
        return Refresher(context, source_set, registry, poller, queue, enriched)

    def wall(self) -> float:
        """Return the seconds since the epoch."""
        return NOW + self.clock.seconds()

    def steady(self) -> float:
        """Return the seconds since the epoch, by which ages are told."""
        return self.wall()

    def put(self, platform: str, count: int, *more: object) -> None:
        """Set a list of a given length, perhaps with further items at its end."""
        self.source.lists[platform] = [*vulnerabilities(count, platform), *more]

    def tick(self, seconds: float = 0.0) -> None:
        """Advance the time, and refresh the lists that are due."""
        self.clock.advance(seconds)
        self.successResultOf(ensureDeferred(self.refresh.tick()))

    def count(self, platform: str = "debian-12") -> int:
        """Return the number of vulnerabilities in the current list."""
        return self.refresh.registry.current(platform).vulnerabilities
