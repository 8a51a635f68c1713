"""
Invariants of a list of Clair that is followed: once checked, it equals that of Clair, whatever happened to either side.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from treq.client import HTTPClient
from treq.testing import RequestTraversalAgent
from twisted.internet.defer import ensureDeferred, maybeDeferred
from twisted.internet.task import Clock

from patches.server.budget import REFRESH, REFRESH_BYTES
from patches.server.refresh.list_state import AT_REST
from patches.server.refresh.poller import Poller
from patches.server.refresh.publication.queue import PublicationQueue
from patches.server.refresh.schedule import RefreshContext, Schedule
from patches.server.refresh.source_state import SourceState
from patches.server.refresh.staging import StagingStore
from patches.service.budget import Budget
from patches.sources.clair.source import LISTS_BYTES, ClairSettings, ClairSource
from patches.sources.fetch.clients import FirstEncoding
from patches.sources.fetch.retry import FetchSettings
from patches.testing import ClairDouble
from tests.sources.clair_in_memory import Meddling

NAMESPACES = {"debian-9": "debian:9", "debian-10": "debian:10"}
NAMES = [*"abcdefg", "h/i"]
INTERVAL, FULL_WALK = timedelta(hours=6), timedelta(hours=12)

Edit = tuple[str, str | int, str]

#: Edits: the record of a name, or the last records of a list, get a version or are deleted.
edits: st.SearchStrategy[Edit] = st.tuples(
    st.sampled_from(sorted(NAMESPACES)),
    st.one_of(st.integers(1, 3), st.sampled_from(NAMES)),
    st.sampled_from(["1", "2", "3", "4", "", "gone"]),
)
several = st.lists(edits, min_size=1, max_size=4)


class Following(RuleBasedStateMachine):
    """A Clair whose lists change at any time, also while they are read."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.double = ClairDouble(self.clock)
        self.numbers = count()
        self.live: dict[str, dict[str, str]] = {platform: {} for platform in NAMESPACES}
        self.late: list[tuple[str, str, Callable[[], None]]] = []
        self.meddling: dict[int, list[Edit]] = {}
        self.requests = 0

    @initialize(page_size=st.sampled_from([1, 2, 3, 999]))
    def start(self, page_size: int) -> None:
        """Fill two lists, and create the source that reads them."""
        for platform in NAMESPACES:
            for name in "abcde":
                self.edit(platform, name, "1")
        self.folder = TemporaryDirectory()
        self.page_size = page_size
        self.lists = StagingStore(Path(self.folder.name, "lists.sqlite"))
        budget = Budget(REFRESH_BYTES + LISTS_BYTES, {REFRESH: REFRESH_BYTES})
        schedule = Schedule(INTERVAL, jitter=lambda: 0.0)
        context = RefreshContext(schedule, maybeDeferred, self.clock, self.clock.seconds)
        publisher: Any = None  # nothing is published here
        self.poller = Poller(context, self.lists, budget, PublicationQueue(context, publisher))
        self.clock.advance(1)
        self.start_server()
        self.refresh(0)

    def start_server(self) -> None:
        """Start a server that knows what was staged, and what the source has noted."""
        client = HTTPClient(FirstEncoding(RequestTraversalAgent(Meddling(self.double.resource(), self.meddle))))
        clair = ClairSettings(self.page_size, FetchSettings(tries=1, parallel=2), FULL_WALK, quiet_seconds=0.0)
        folder = Path(self.folder.name, "clair")
        source = ClairSource(client, "http://clair.test", self.clock, clair, lambda: 0.0, folder=folder)
        self.state = SourceState(source)

    def edit(self, platform: str, which: str | int, version: str) -> None:
        """Change records, and note the resulting list, in the order of Clair."""
        live = self.live[platform]
        for name in [which] if isinstance(which, str) else list(live)[-which:]:
            before = live.pop(name, None)
            if version != "gone":
                # Rows that change, and change back before they are read again, are found once a day: here none does.
                record = {"Name": name, "Link": f"https://x/{next(self.numbers)}"}
                fixes = [{"Name": "p", "Version": version}]
                self.double.change(NAMESPACES[platform], {**record, "FixedIn": fixes})
                live[name] = version
            elif before is not None:
                self.double.delete(NAMESPACES[platform], name)

    def meddle(self, target: str) -> None:
        """Apply the changes that are due before this request for a list is answered."""
        self.requests += "limit" in target
        for platform, name, version in self.meddling.pop(self.requests, ()):
            self.edit(platform, name, version)
            self.meddled = True

    @rule(changes=several)
    def change(self, changes: list[Edit]) -> None:
        """Records change in Clair."""
        for each in changes:
            self.edit(*each)

    @rule()
    def restart(self) -> None:
        """Clair is restarted."""
        self.double.restart()

    @rule()
    def restart_server(self) -> None:
        """The server is restarted."""
        self.start_server()

    @rule(platform=st.sampled_from(sorted(NAMESPACES)), name=st.sampled_from(["late", "later"]))
    def begin_late(self, platform: str, name: str) -> None:
        """A writer takes the next id for a new record, and is slow."""
        if name not in self.live[platform] and (platform, name) not in [each[:2] for each in self.late]:
            record = {"Name": name, "FixedIn": [{"Name": "p", "Version": "9"}]}
            self.late.append((platform, name, self.double.begin_change(NAMESPACES[platform], record)))

    @precondition(lambda self: self.late)
    @rule()
    def end_late(self) -> None:
        """A slow writer commits: its record appears before others that were inserted meanwhile."""
        platform, name, commit = self.late.pop(0)
        commit()
        self.live[platform][name] = "9"

    @rule(minutes=st.sampled_from([30, 30, 30, 59, 61, 400, 800]))
    def refresh(self, minutes: int) -> None:
        """Time passes; sources that are due are asked, and their lists are read."""
        self.clock.advance(minutes * 60)
        self.meddled = False
        done: list[Any] = []
        ensureDeferred(self.poller.poll(self.state)).addBoth(done.append)
        assert done == [None], done
        assert all(each.state in AT_REST for each in self.state.source_lists.values())
        self.meddling.clear()
        if not self.meddled:
            for platform in self.checked():
                self.compare(platform)

    @rule(changes=several, later=st.integers(1, 10), minutes=st.sampled_from([30, 61, 800]))
    def refresh_meanwhile(self, changes: list[Edit], later: int, minutes: int) -> None:
        """Records change in Clair while a list is read: at the latest, the next check finds that."""
        self.meddling[self.requests + later] = changes
        self.refresh(minutes)
        self.refresh(30)

    def checked(self) -> list[str]:
        """Return the lists that count as checked now."""
        return [key for key, feed in self.state.source_lists.items() if feed.checked == self.clock.seconds()]

    def compare(self, platform: str) -> None:
        """Compare a list that was checked now with the list of Clair."""
        live = {name: "" if "/" in name else version for name, version in self.live[platform].items()}
        assert self.versions(platform) == live

    def versions(self, platform: str) -> dict[str, str]:
        """Return the staged versions by name."""
        packages = {name: json.loads(line)["fixedInPackages"] for name, line in self.lists.lines(platform, "clair")}
        return {name: (fixes[0]["version"] or "") if fixes else "" for name, fixes in packages.items()}

    @precondition(lambda self: hasattr(self, "lists"))
    @invariant()
    def counted(self) -> None:
        """The counts of a list match its records."""
        for platform in NAMESPACES:
            for facts in self.lists.facts(platform).values():
                assert facts["read"] == len(self.versions(platform))
                assert sum(facts["skipped"].values()) <= len(NAMES)

    def teardown(self) -> None:
        if hasattr(self, "lists"):
            self.lists.close()
            self.folder.cleanup()


FollowingTests = Following.TestCase
FollowingTests.settings = settings(max_examples=30, stateful_step_count=15, deadline=None)
