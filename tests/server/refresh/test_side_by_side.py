"""Tests for :mod:`patches.server.refresh.refresher`: several sources, and each platform as soon as its lists are in."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.testing import EventLoggingObserver
from twisted.logger import formatEvent, globalLogPublisher

from patches.errors import SourceError
from patches.interfaces import Offer
from patches.server.budget import REFRESH, REFRESH_BYTES
from patches.server.refresh.list_state import ListState
from patches.server.refresh.source_state import FIRST_ANSWER_SECONDS
from patches.service.budget import Budget
from tests.server.fake_catalogue import vulnerabilities
from tests.server.fake_source import HOUR, PutFeed, PutSource, RefreshCase


class SilentSource(PutSource):
    """A source that never says which lists it has."""

    async def offers(self) -> list[Offer]:
        """Wait for ever."""
        await Deferred()
        return []


class SideCase(RefreshCase):
    """A case with a source of 23 records of Alpine, and a slow one of Debian."""

    def setUp(self) -> None:
        super().setUp()
        self.budget = Budget(4 * REFRESH_BYTES)
        self.slow: Deferred[None] = Deferred()
        self.put("debian-12", 10, self.slow)
        self.quick = PutSource("quick")
        self.quick.lists = {"alpine-3.20": [*vulnerabilities(23, "alpine-3.20")]}
        self.refresh = self.create_refresher(self.quick)

    def states(self, source: int = 0) -> dict[str, ListState]:
        """Return the states of the lists of a source."""
        states = self.refresh._source_set.states[source].source_lists
        return {key: each.state for key, each in states.items()}

    def served(self) -> dict[str, int]:
        """Return the lengths of the lists that are served."""
        statuses = self.refresh.statuses.items()
        return {name: each.snapshot.vulnerabilities for name, each in statuses if each.snapshot is not None}


class SlowTests(SideCase):
    """A source that takes long."""

    def test_slow_source(self) -> None:
        """A short list is served at once, and again and again, while a long one of another source is being read."""
        self.tick()
        self.assertEqual(self.served(), {"alpine-3.20": 23})
        self.assertEqual(self.states(0), {"debian-12": ListState.IMPORTING})
        self.assertEqual(self.states(1), {"alpine-3.20": ListState.IDLE})
        self.assertTrue(self.refresh.registry.ready)
        self.quick.lists["alpine-3.20"] += vulnerabilities(30, "alpine-3.20")[23:]
        self.tick(HOUR)
        self.assertEqual(self.served(), {"alpine-3.20": 30})
        self.slow.callback(None)
        self.tick(1)
        self.assertEqual(self.served(), {"alpine-3.20": 30, "debian-12": 10})

    def test_slow_answer(self) -> None:
        """A source that does not say which lists it has delays others for some seconds at most."""
        self.configured = [SilentSource("silent")]
        self.refresh = self.create_refresher(self.quick)
        self.tick()
        self.tick(FIRST_ANSWER_SECONDS - 1)
        self.assertEqual(self.served(), {})
        self.tick(1)
        self.assertEqual(self.served(), {"alpine-3.20": 23})

    def test_unknown_platforms(self) -> None:
        """A list whose platforms are known only when it was read delays others for some seconds at most."""
        feed = PutFeed("feed", {"debian-12": [Deferred()]})
        feed.wanted = {"debian-12"}
        self.patch(feed, "wanted", None)
        self.patch(feed, "listing", lambda key, since=None: super(PutFeed, feed).listing("debian-12", since))
        self.patch(feed, "offers", self.offer_all)
        self.configured = [feed]
        self.refresh = self.create_refresher(self.quick)
        self.tick()
        self.tick(FIRST_ANSWER_SECONDS - 1)
        self.assertEqual(self.served(), {})
        self.tick(1)
        self.assertEqual(self.served(), {"alpine-3.20": 23})

    async def offer_all(self) -> list[Offer]:
        """Return an offer that names no platform."""
        return [Offer("all")]

    def test_failing_source(self) -> None:
        """A source that fails delays no other, and its failures are its own."""
        self.source.trouble = SourceError("away")
        for _ in range(5):
            self.tick(10)
        self.assertEqual(self.served(), {"alpine-3.20": 23})
        self.assertEqual(self.quick.asked, ["offers", "alpine-3.20"])
        self.assertEqual(self.refresh.registry.problem, "put: away")

    def test_failing_list(self) -> None:
        """A list that fails delays no other list of its source."""
        self.quick.lists = {
            "alpine-3.19": [SourceError("it needs more than 48 MiB")],
            "alpine-3.20": [*vulnerabilities(23, "alpine-3.20")],
        }
        self.tick()
        self.assertEqual(self.served(), {"alpine-3.20": 23})
        self.assertEqual(self.states(1), {"alpine-3.19": ListState.WAITING, "alpine-3.20": ListState.IDLE})
        self.assertEqual(self.refresh.statuses["alpine-3.19"].error, "quick: it needs more than 48 MiB")


class BoundTests(SideCase):
    """More sources than may be read at once."""

    def test_bounded(self) -> None:
        """At most two sources are read at once; the third is asked, and read when one of them has ended."""
        second, third = PutSource("second"), PutSource("third")
        waits: Deferred[None] = Deferred()
        second.lists = {"debian-11": [waits]}
        third.lists = {"debian-13": [*vulnerabilities(3, "debian-13")]}
        self.refresh = self.create_refresher(second, third)
        self.tick()
        self.assertEqual((third.asked, self.served()), (["offers"], {}))
        self.assertEqual(self.budget.used[REFRESH], 2 * REFRESH_BYTES)
        waits.errback(SourceError("away"))
        self.tick(1)
        self.assertEqual((third.asked, self.served()), (["offers", "debian-13"], {"debian-13": 3}))
        self.assertEqual(self.budget.used[REFRESH], REFRESH_BYTES)

    def test_rest(self) -> None:
        """A source rests after its lists were read, whether or not that succeeded, and its memory is released."""
        rests: list[str] = []
        self.patch(PutSource, "rest", lambda source: rests.append(source.name))
        self.tick()
        self.assertEqual(rests, ["quick"])
        self.slow.errback(SourceError("away"))
        self.assertEqual((rests, self.budget.used[REFRESH]), (["quick", "put"], 0))

    def test_worker(self) -> None:
        """The memory of a worker is granted before a list is read; without it the list waits, and others are read."""
        self.patch(PutSource, "worker_bytes", REFRESH_BYTES * 9)
        self.source.worker_bytes = 0
        self.tick()
        self.assertEqual((self.quick.asked, self.states(1)), (["offers"], {"alpine-3.20": ListState.WAITING}))
        self.slow.callback(None)
        self.tick(1)
        self.assertEqual(self.served(), {"debian-12": 10})
        self.quick.worker_bytes = REFRESH_BYTES
        self.tick(1)
        self.assertEqual(self.served(), {"debian-12": 10, "alpine-3.20": 23})


class SharedPlatformTests(SideCase):
    """A platform with lists of two sources."""

    def setUp(self) -> None:
        super().setUp()
        self.quick.lists["debian-12"] = [*vulnerabilities(3, "debian-12")]

    def test_waits_for_both(self) -> None:
        """At the first start a platform waits for the lists of both sources."""
        self.tick()
        self.assertEqual(self.served(), {"alpine-3.20": 23})
        self.assertEqual(self.states(1)["debian-12"], ListState.MERGING)
        self.slow.callback(None)
        self.tick(1)
        self.assertEqual((self.served()["debian-12"], self.states(1)["debian-12"]), (13, ListState.IDLE))

    def test_waits_no_longer(self) -> None:
        """It waits no longer when the list of the other source has failed."""
        self.tick()
        self.slow.errback(SourceError("away"))
        self.tick(1)
        self.assertEqual(self.served()["debian-12"], 3)

    def test_read_again(self) -> None:
        """Later, a changed list is published at once with what was read before of a source that is being read."""
        self.slow.callback(None)
        self.tick()
        self.tick(1)
        self.put("debian-12", 12, Deferred())
        self.quick.lists["debian-12"] = [*vulnerabilities(5, "debian-12")]
        self.tick(HOUR)
        self.assertEqual((self.served()["debian-12"], self.states(0)["debian-12"]), (15, ListState.IMPORTING))

    def test_due_while_it_waits(self) -> None:
        """A list that waits for another source's may be read once more meanwhile."""
        self.tick()
        self.quick.lists["debian-12"] = [*vulnerabilities(5, "debian-12")]
        self.tick(HOUR)
        self.assertEqual(self.quick.asked.count("debian-12"), 2)
        self.assertEqual(self.states(1)["debian-12"], ListState.MERGING)
        self.slow.callback(None)
        self.tick(1)
        self.assertEqual(self.served()["debian-12"], 15)


class StateTests(RefreshCase):
    """The states through which a list goes."""

    def state(self) -> ListState:
        """Return the state of the only list."""
        (state,) = self.refresh._source_set.states
        (source_list,) = state.source_lists.values()
        return source_list.state

    def test_held_back(self) -> None:
        """A list that has shrunk is held back until it is accepted, or is long again."""
        self.source.states["debian-12"] = "1"
        self.tick()
        self.put("debian-12", 2)
        for _ in range(2):
            self.source.states["debian-12"] = "2"
            self.tick(HOUR)
            self.assertEqual(self.state(), ListState.HELD_BACK)
        self.catalogue.accept("debian-12", self.wall())
        self.tick(10)
        self.assertEqual(self.state(), ListState.IDLE)
        for state, count, then in (("3", 1, ListState.HELD_BACK), ("4", 9, ListState.IDLE)):
            self.source.states["debian-12"] = state
            self.put("debian-12", count)
            self.tick(HOUR)
            self.assertEqual(self.state(), then)
        self.assertEqual(self.count(), 9)

    def test_unpublished(self) -> None:
        """A list that was read but could not be published is published later, without being read again."""
        publish = self.publisher.publish
        self.source.states["debian-12"] = "1"
        self.patch(self.publisher, "publish", self.broken)
        self.tick()
        self.assertEqual(self.state(), ListState.UNPUBLISHED)
        self.tick(HOUR)
        self.assertEqual(self.state(), ListState.UNPUBLISHED)
        self.patch(self.publisher, "publish", publish)
        self.tick(HOUR)
        self.assertEqual((self.state(), self.count(), self.source.asked.count("debian-12")), (ListState.IDLE, 10, 1))

    def broken(self, *_: object) -> None:
        """Fail to publish."""
        raise SourceError("the disk is full")

    def test_empty(self) -> None:
        """An empty list is no failure; it is read again after pauses that grow."""
        self.put("debian-12", 0)
        self.tick()
        self.assertEqual(self.state(), ListState.EMPTY)
        read = []
        for second in range(1, 101):
            before = self.source.asked.count("debian-12")
            self.tick(1)
            read += [second] if self.source.asked.count("debian-12") > before else []
        self.assertEqual(read, [10, 30, 70])
        self.assertEqual((self.refresh.registry.problem, self.refresh.statuses["debian-12"].is_empty), (None, True))
        self.put("debian-12", 4)
        self.tick(HOUR)
        self.assertEqual((self.state(), self.count()), (ListState.IDLE, 4))

    def test_emptied(self) -> None:
        """A list that had records and is empty now is an error; the records are still served."""
        self.tick()
        self.put("debian-12", 0)
        self.tick(HOUR)
        self.assertEqual((self.state(), self.count()), (ListState.WAITING, 10))
        self.assertEqual(self.refresh.statuses["debian-12"].error, "put: the list is empty")

    def test_no_memory(self) -> None:
        """A list for which there is no memory waits, and nothing has failed."""
        self.budget.take(REFRESH, self.budget.free(REFRESH))
        self.tick()
        self.assertEqual((self.state(), self.refresh.statuses["debian-12"].failed), (ListState.WAITING, 0))

    def test_lines(self) -> None:
        """A publication is one line in the log, with its changes."""
        observer = EventLoggingObserver.createWithCleanup(self, globalLogPublisher)
        self.tick()
        self.put("debian-12", 12)
        self.tick(HOUR)
        lines = [str(formatEvent(event)) for event in observer if event["log_namespace"].endswith("publisher")]
        self.assertEqual(["the first list" in lines[0], "2 added, 0 changed, 0 withdrawn" in lines[1]], [True, True])
        self.assertEqual(len(lines), 2)


class AgainTests(RefreshCase):
    """A source that must be read once more while it is being read."""

    def test_again(self) -> None:
        """Work that is scheduled meanwhile is done as soon as the pass has ended, not when the source is next due."""
        waits: Deferred[None] = Deferred()
        feed = PutFeed("feed", {"debian-12": [waits], "debian-11": [*vulnerabilities(3, "debian-11")]})
        feed.wanted = {"debian-12"}
        self.configured = [feed]
        self.refresh = self.create_refresher()
        self.tick()
        feed.wanted = {"debian-11", "debian-12"}
        (state,) = self.refresh._source_set.states
        state.retry_soon(self.clock.seconds())
        feed.lists["debian-12"] = [*vulnerabilities(2)]
        waits.callback(None)
        self.tick(1)
        self.assertEqual(feed.asked, ["offers", "all", "offers", "all"])
        self.assertEqual(self.count("debian-11"), 3)
