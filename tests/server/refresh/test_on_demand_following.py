"""Tests of platforms that are requested from several servers, of which one refreshes."""

from __future__ import annotations

from twisted.internet.defer import ensureDeferred

from patches.errors import SourceError
from patches.server.refresh.refresher import Refresher
from tests.server.databases import OnPostgreSQL
from tests.server.fake_catalogue import vulnerabilities
from tests.server.public_case import DAY, PublicCase


class FollowingTests(PublicCase):
    """Two servers, of which the second follows; both have a configured source of Alpine."""

    def setUp(self) -> None:
        super().setUp()
        self.catalogue.is_shared = True
        self.turn = 0
        self.servers: list[Refresher] = []
        self.configured = [self.source]
        self.source.lists = {"alpine-3.20": [*vulnerabilities(3, "alpine-3.20")]}

    def start_both(self) -> None:
        """Start both servers."""
        self.servers = [self.create_refresher(), self.create_refresher()]
        for number, refresh in enumerate(self.servers):
            refresh.leads = lambda number=number: self.turn == number  # type: ignore[misc]

    def go_on(self, seconds: float = 10) -> None:
        """Run the due work of both servers."""
        self.clock.advance(seconds)
        for refresh in self.servers:
            self.successResultOf(ensureDeferred(refresh.tick()))

    def both(self, platform: str) -> list[str | int]:
        """Request a platform from both servers, first from the follower."""
        return [self.scan(platform, refresh) for refresh in reversed(self.servers)]

    def test_follower_asked(self) -> None:
        """A platform that is requested from the follower only is read by the leader, within seconds."""
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
        """The follower reports a platform as unknown once the leader has published its platforms, and not before."""
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
        """A platform that the leader has not been able to read yet is not ready on either server."""
        self.put("centos-7", 0, *(SourceError("away") for _ in range(9)))
        self.start_both()
        self.go_on()
        self.go_on()
        self.assertEqual(self.both("centos-7"), ["not ready"] * 2)
        self.assertEqual([refresh.registry.is_ready("centos-7") for refresh in self.servers], [False] * 2)

    def test_new_leader(self) -> None:
        """A new leader does not know the platforms yet, and the other server follows it in that."""
        self.start_both()
        self.go_on()
        self.go_on()
        self.turn = 1
        self.source.trouble = SourceError("away")
        self.go_on()
        self.go_on()
        self.assertEqual(self.both("amiga-3"), ["not ready"] * 2)
        self.turn = 0  # the server that already knows the platforms
        self.go_on()
        self.go_on()
        self.assertEqual(self.both("amiga-3"), ["unknown"] * 2)
        self.turn = 1
        self.source.trouble = None
        self.go_on(60)
        self.go_on()
        self.assertEqual(self.both("amiga-3"), ["unknown"] * 2)

    def test_renewed(self) -> None:
        """
        A platform that is requested only from the follower is kept; one that is not requested is forgotten by both.
        """
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
    """The same behaviour on PostgreSQL."""
