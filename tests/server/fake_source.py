"""A vulnerability source that gives what a test puts into it, and a case with a refresh that reads it."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Collection
from datetime import timedelta
from pathlib import Path

from sqlalchemy import URL
from twisted.internet.defer import Deferred, ensureDeferred, maybeDeferred
from twisted.internet.task import Clock
from zope.interface import implementer

from patches.interfaces import IListing, ISource, NotThere, Offer
from patches.server.budget import REFRESH, REFRESH_BYTES, Budget
from patches.server.catalogue.schema import open_database
from patches.server.catalogue.store import Catalogue
from patches.server.refresh.on_demand import RequestedPlatforms
from patches.server.refresh.publisher import Guard, Publisher
from patches.server.refresh.refresher import Refresher
from patches.server.refresh.requests_table import RequestTable
from patches.server.refresh.schedule import NoPublicSources, PublicSourceProvider, Schedule
from patches.server.refresh.source_set import SourceSet
from patches.server.refresh.staging import StagingStore
from patches.vulnerability import Vulnerability
from tests.server.databases import DatabaseCase
from tests.server.fake_catalogue import vulnerabilities

HOUR = 3600.0
NOW = 1_700_000_000.0


@implementer(ISource)
class PutSource:
    """
    Gives what was put into it.

    :ivar lists: by platform, what a listing gives: vulnerabilities; it raises errors, and waits for Deferreds.
    :ivar states: by platform, the state that is offered.
    :ivar claimed: how many entries each listing says there are.
    :ivar trouble: raised when it is asked for its offers.
    :ivar asked: what it was asked for, in order.
    """

    ask_within: timedelta | None = None

    def __init__(self, name: str = "put", rank: int = 0) -> None:
        self.name = name
        self.rank = rank
        self.states: dict[str, str] = {}
        self.claimed: int | None = None
        self.lists: dict[str, list[object]] = {}
        self.skipped: Counter[str] = Counter()
        self.trouble: Exception | None = None
        self.asked: list[str] = []

    async def offers(self) -> list[Offer]:
        """Offer those whose lists were put here."""
        self.asked.append("offers")
        if self.trouble is not None:
            raise self.trouble
        return [Offer(platform, self.states.get(platform), platform) for platform in self.lists]

    def listing(self, key: str, since: str | None = None) -> PutListing:
        """Read what was put here."""
        self.asked.append(key)
        return PutListing(self.lists[key], Counter(self.skipped), self.claimed)


@implementer(IListing)
class PutListing:
    """One reading."""

    partial = False
    state = None

    def __init__(self, content: list[object], skipped: Counter[str], claimed: int | None) -> None:
        self.skipped = skipped
        self.claimed = claimed
        self.found = skipped.total()
        self._content = content

    async def __aiter__(self) -> AsyncIterator[Vulnerability]:
        for item in list(self._content):
            if isinstance(item, Exception):
                self._content.remove(item)  # it happens once
                raise item
            if isinstance(item, Deferred):
                await item
            elif isinstance(item, Vulnerability):
                self.found += 1
                yield item


class PutPublic:
    """
    Public sources of what a test puts into them, each of a family: one list of all its platforms that are wanted.

    :ivar lists: by platform.
    :ivar made: by family.
    """

    families = ("debian", "ubuntu", "fedora")

    def __init__(self) -> None:
        self.lists: dict[str, list[object]] = {}
        self.made: dict[str, PutFeed] = {}

    def has(self, platform: str) -> bool:
        """Return whether it is of one of the families."""
        return platform.partition("-")[0] in self.families

    def sources(self, platforms: Collection[str]) -> dict[str, PutFeed]:
        """Return the sources, which read these platforms."""
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


class PutFeed(PutSource):
    """A source with one list, of which only reading tells which of the wanted platforms are in it."""

    def __init__(self, name: str, lists: dict[str, list[object]]) -> None:
        super().__init__(name)
        self.lists = lists
        self.wanted: set[str] = set()

    async def offers(self) -> list[Offer]:
        """Offer the list."""
        self.asked.append("offers")
        if self.trouble is not None:
            raise self.trouble
        return [Offer("all", " ".join(sorted(self.wanted)))]

    def listing(self, key: str, since: str | None = None) -> PutListing:
        """Read what is wanted of what was put there."""
        self.asked.append(key)
        wanted = [each for platform in sorted(self.wanted) for each in self.lists.get(platform, [])]
        return PutListing(wanted, Counter(), None)


class PutBranches(PutFeed):
    """A source with a file for each platform, which it offers before it knows whether the file is there."""

    async def offers(self) -> list[Offer]:
        """Offer the files."""
        self.asked.append("offers")
        return [Offer(platform, platform=platform) for platform in sorted(self.wanted)]

    def listing(self, key: str, since: str | None = None) -> PutListing:
        """Read a file."""
        self.asked.append(key)
        return PutListing(self.lists.get(key, [NotThere("it answered 404")]), Counter(), None)


class RefreshCase(DatabaseCase):
    """A case with a refresh of one source, which has a list of Debian."""

    interval = timedelta(hours=1)
    platforms: tuple[str, ...] = ()

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
        """Open a catalogue, for servers that are made from now on."""
        engine = open_database(where)
        self.catalogue, self.request_table = Catalogue(engine), RequestTable(engine)
        self.addCleanup(self.catalogue.close)

    def create_refresher(self, *more: PutSource) -> Refresher:
        """Make a refresh, as a server that starts does."""
        self.publisher = Publisher(self.catalogue, self.lists, Guard(), self.folder)
        return Refresher(
            SourceSet([*self.configured, *more], self.public),
            RequestedPlatforms(self.request_table, self.public, maybeDeferred, self.wall),
            self.catalogue,
            self.lists,
            self.publisher,
            Schedule(self.interval, self.platforms, jitter=lambda: 0.0),
            self.budget,
            maybeDeferred,
            self.clock,
            self.wall,
        )

    def wall(self) -> float:
        """Return the seconds since the epoch."""
        return NOW + self.clock.seconds()

    def put(self, platform: str, count: int, *more: object) -> None:
        """Put a list of some length into the source, and perhaps something else behind it."""
        self.source.lists[platform] = [*vulnerabilities(count, platform), *more]

    def tick(self, seconds: float = 0.0) -> None:
        """Advance the time, and refresh what is due."""
        self.clock.advance(seconds)
        self.successResultOf(ensureDeferred(self.refresh.tick()))

    def count(self, platform: str = "debian-12") -> int:
        """Return how many vulnerabilities are current."""
        return self.refresh.current(platform).vulnerabilities
