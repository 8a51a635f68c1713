"""Platforms that are wanted of several servers, of which one refreshes."""

from __future__ import annotations

from twisted.internet.defer import ensureDeferred

from patches.interfaces import SourceError
from patches.server.refresh.refresher import Refresher
from tests.server.databases import OnPostgreSQL
from tests.server.fake_catalogue import vulnerabilities
from tests.server.public_case import DAY, PublicCase


class FollowingTests(PublicCase):
    """Two servers, of which the second follows; Alpine is configured on both."""

    def setUp(self) -> None:
        super().setUp()
        self.catalogue.is_shared = True
        self.turn = 0
        self.servers: list[Refresher] = []
        self.configured = [self.source]
        self.source.lists = {"alpine-3.20": [*vulnerabilities(3, "alpine-3.20")]}

    def start_both(self) -> None:
        """Start both."""
        self.servers = [self.create_refresher(), self.create_refresher()]
        for number, refresh in enumerate(self.servers):
            refresh.leads = lambda number=number: self.turn == number  # type: ignore[misc]

    def go_on(self, seconds: float = 10) -> None:
        """Run what is due in both servers."""
        self.clock.advance(seconds)
        for refresh in self.servers:
            self.successResultOf(ensureDeferred(refresh.tick()))

    def both(self, platform: str) -> list[str | int]:
        """Ask both for a platform, the one that follows first."""
        return [self.scan(platform, refresh) for refresh in reversed(self.servers)]

    def test_follower_asked(self) -> None:
        """What only the one that follows was asked for, the other reads, within seconds; it asks nobody itself."""
        for configured in ([], [self.source]):
            self.configured = list(configured)
            self.start_both()
            self.go_on()
            self.go_on()
            platform = "debian-12" if configured else "ubuntu-24.04"
            self.assertEqual(self.scan(platform, self.servers[1]), "not ready")
            self.go_on(1)
            self.go_on()
            self.go_on()
            self.assertEqual(self.both(platform), [int(platform[7:9])] * 2)
            self.assertEqual(self.asked_of(platform[:6]), ["offers", "all"])

    def test_unknown(self) -> None:
        """Who follows says what is unknown as soon as the other has told, and not before."""
        self.start_both()
        self.assertEqual(self.scan("amiga-3", self.servers[1]), "not ready")
        self.go_on()
        self.go_on()
        self.assertEqual(self.both("amiga-3"), ["unknown"] * 2)
        self.assertEqual(self.both("alpine-3.20"), [3] * 2)
        self.both("debian-99")
        self.go_on(1)
        self.go_on()
        self.go_on()
        self.assertEqual(self.both("debian-99"), ["unknown"] * 2)

    def test_not_read_yet(self) -> None:
        """What the other knows of and could not read yet is not unknown; both say that it is missing."""
        self.put("centos-7", 0)
        self.start_both()
        self.go_on()
        self.go_on()
        self.assertEqual(self.both("centos-7"), ["not ready"] * 2)
        self.assertEqual([refresh.ready for refresh in self.servers], [False] * 2)

    def test_new_leader(self) -> None:
        """A server that has just begun to lead knows nothing yet, and says so to the other."""
        self.start_both()
        self.go_on()
        self.go_on()
        self.turn = 1
        self.source.trouble = SourceError("away")
        self.go_on()
        self.go_on()
        self.assertEqual(self.both("amiga-3"), ["not ready"] * 2)
        self.turn = 0  # which has known it before
        self.go_on()
        self.go_on()
        self.assertEqual(self.both("amiga-3"), ["unknown"] * 2)
        self.turn = 1
        self.source.trouble = None
        self.go_on(60)
        self.go_on()
        self.assertEqual(self.both("amiga-3"), ["unknown"] * 2)

    def test_renewed(self) -> None:
        """What only the one that follows is asked for is not forgotten; what nobody is is, by both."""
        self.start_both()
        self.go_on()
        self.both("debian-12"), self.both("ubuntu-24.04")
        self.go_on()
        self.go_on()
        for _ in range(40):
            self.go_on(DAY)
            self.scan("debian-12", self.servers[1])
        self.go_on()
        self.assertEqual(self.both("debian-12"), [12, 12])
        for refresh in self.servers:
            self.assertEqual(set(refresh.statuses), {"alpine-3.20", "debian-12"})


class FollowingOnPostgreSQLTests(OnPostgreSQL, FollowingTests):
    """The same on PostgreSQL."""
