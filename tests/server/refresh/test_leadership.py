"""Tests for :mod:`patches.server.refresh.leadership`."""

from __future__ import annotations

from pathlib import Path
from tempfile import mkdtemp

from twisted.internet.defer import Deferred, ensureDeferred, maybeDeferred
from twisted.trial.unittest import SynchronousTestCase

from patches.errors import SourceError
from patches.server.errors import CatalogueError
from patches.server.refresh.leadership import Leadership
from patches.server.refresh.refresher import Refresher
from tests.server.fake_catalogue import vulnerabilities
from tests.server.fake_source import HOUR, PutSource, RefreshCase


class Mutex:
    """A mutex in memory, which one server holds at a time."""

    def __init__(self) -> None:
        self.holder: MemoryLock | None = None


class MemoryLock:
    """
    The lock of one server.

    :ivar trouble: the error that its connection raises; ``None``: it works.
    """

    def __init__(self, mutex: Mutex) -> None:
        self._mutex = mutex
        self.trouble: CatalogueError | None = None

    def acquire(self) -> bool:
        """Acquire the mutex if it is free."""
        if self.trouble is not None:
            if self._mutex.holder is self:
                self._mutex.holder = None
            raise self.trouble
        self._mutex.holder = self._mutex.holder or self
        return self._mutex.holder is self


class LeadershipTests(SynchronousTestCase):
    """Several servers of which one leads."""

    def setUp(self) -> None:
        mutex = Mutex()
        self.locks = [MemoryLock(mutex) for _ in range(3)]
        self.servers = [Leadership(lock, maybeDeferred) for lock in self.locks]

    def check(self, *which: int) -> list[bool]:
        """Check the leadership of servers in this order. Return for each whether it leads."""
        for number in which:
            self.successResultOf(ensureDeferred(self.servers[number].check()))
        return [server.leads() for server in self.servers]

    def test_nobody_before(self) -> None:
        """A server does not lead before its first check."""
        self.assertEqual(self.check(), [False, False, False])

    def test_first(self) -> None:
        """The first server that checks leads, and keeps the lead."""
        self.assertEqual(self.check(1, 0, 2, 1, 0, 2), [False, True, False])

    def test_lost(self) -> None:
        """A leader that loses its connection loses the lead to another server, and does not regain it."""
        self.check(0, 1, 2)
        self.locks[0].trouble = CatalogueError("away")
        self.assertEqual(self.check(0), [False, False, False])
        self.assertEqual(self.check(2, 1, 0), [False, False, True])
        self.locks[0].trouble = None
        self.assertEqual(self.check(0, 1, 2), [False, False, True])

    def test_one_at_a_time(self) -> None:
        """Only one thread at a time asks for the lock."""
        asked: list[Deferred[bool]] = []

        def run(call: object) -> Deferred[bool]:
            asked.append(Deferred())
            return asked[-1]

        server = Leadership(self.locks[0], run)  # type: ignore[arg-type]
        first, second = ensureDeferred(server.check()), ensureDeferred(server.check())
        self.assertEqual(len(asked), 1)
        asked[0].callback(True)
        self.successResultOf(first)
        self.assertEqual((len(asked), server.leads()), (2, True))
        asked[1].callback(False)
        self.successResultOf(second)
        self.assertFalse(server.leads())


class FollowingTests(RefreshCase):
    """Two servers on one catalogue: the second one follows until it leads."""

    def setUp(self) -> None:
        super().setUp()
        self.turn = 0
        self.catalogue.is_shared = True
        self.first, self.second = self.server(0), self.server(1)

    def server(self, number: int, *more: PutSource) -> Refresher:
        """Create a server with a staging store of its own."""
        folder = Path(mkdtemp(dir=self.folder))
        self.lists = type(self.lists)(folder / "lists.sqlite")
        self.addCleanup(self.lists.close)
        refresh = self.create_refresher(*more)
        refresh.leads = lambda: self.turn == number
        return refresh

    def pass_time(self, seconds: float = 10) -> list[int | None]:
        """Run the due work of both servers. Return the number of vulnerabilities that each serves."""
        self.clock.advance(seconds)
        for refresh in (self.first, self.second):
            self.successResultOf(ensureDeferred(refresh.tick()))
        found = [refresh.statuses.get("debian-12") for refresh in (self.first, self.second)]
        return [status.snapshot.vulnerabilities if status and status.snapshot else None for status in found]

    def test_follows(self) -> None:
        """A follower asks no source, and serves the lists that the leader published within seconds."""
        self.assertEqual(self.pass_time(), [10, 10])
        self.assertEqual(self.source.asked, ["offers", "debian-12"])
        self.put("debian-12", 20)
        self.pass_time(HOUR - 5)
        self.assertEqual(self.pass_time(), [20, 20])

    def test_checked(self) -> None:
        """A follower reports the time of the last check even if the list did not change."""
        self.source.states["debian-12"] = "same"
        self.pass_time()
        for _ in range(3):
            self.pass_time(HOUR)
        self.pass_time()
        self.pass_time()
        ages = {self.wall() - refresh.registry.current("debian-12").checked for refresh in (self.first, self.second)}
        self.assertEqual(len(ages), 1)
        self.assertLess(ages.pop(), HOUR)

    def test_checked_by_all(self) -> None:
        """A list of two sources has the age of its oldest part, on both servers."""
        second = PutSource("second")
        second.lists = {"debian-12": [*vulnerabilities(3)]}
        self.first, self.second = self.server(0, second), self.server(1, second)
        self.pass_time()
        second.trouble, second.lists["debian-12"] = SourceError("away"), [SourceError("away")]
        self.put("debian-12", 20)
        self.pass_time(HOUR)
        self.assertEqual(self.pass_time(), [23, 23])
        ages = {self.wall() - refresh.registry.current("debian-12").checked for refresh in (self.first, self.second)}
        self.assertEqual(ages, {HOUR + 10})

    def test_alarm(self) -> None:
        """Both servers report that a list is held back, until an operator accepts it."""
        self.pass_time()
        self.put("debian-12", 2)
        self.pass_time(HOUR)
        self.assertEqual(self.pass_time(), [10, 10])
        alarms = {refresh.statuses["debian-12"].alarm for refresh in (self.first, self.second)}
        self.assertEqual(len(alarms), 1)
        self.assertIn("80% less", str(alarms.pop()))
        self.catalogue.accept("debian-12", self.wall())
        self.assertEqual(self.pass_time(), [2, 2])
        self.assertEqual([self.first.statuses["debian-12"].alarm, self.second.statuses["debian-12"].alarm], [None] * 2)

    def test_takes_over(self) -> None:
        """A new leader reads the lists at once, and the former leader follows."""
        self.pass_time()
        self.put("debian-12", 30)
        self.turn = 1
        self.pass_time()
        self.assertEqual(self.pass_time(), [30, 30])
        self.assertEqual(self.source.asked, ["offers", "debian-12"] * 2)

    def test_comes_back(self) -> None:
        """A list that is as it was when a server last led is published again if the other server replaced it."""
        for turn, state, count in ((0, "old", 20), (1, "new", 21), (0, "old", 22)):
            self.turn = turn
            self.put("debian-12", count)
            self.source.states["debian-12"] = state
            self.pass_time()
            self.pass_time()
        self.assertEqual(self.pass_time(), [20, 20])  # it was not read: its state is that of the twenty

    def test_old_errors(self) -> None:
        """A former leader no longer reports the errors of its own imports."""
        self.pass_time()
        self.source.trouble = CatalogueError("away")
        self.pass_time(HOUR)
        self.assertEqual(self.first.statuses["debian-12"].error, "put: away")
        self.source.trouble, self.turn = None, 1
        self.pass_time()
        self.assertIsNone(self.first.statuses["debian-12"].error)

    def test_prune(self) -> None:
        """Only the leader deletes old snapshots."""
        self.pass_time()
        old = self.second.registry.current("debian-12").revision
        self.put("debian-12", 20)
        self.pass_time(HOUR)
        self.clock.advance(24 * HOUR + 1)
        for refresh, gone in ((self.second, False), (self.first, True)):
            self.successResultOf(ensureDeferred(refresh.registry.prune(set())))
            self.assertEqual(self.catalogue.find(old) is None, gone)
