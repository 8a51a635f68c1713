"""Tests for :mod:`patches.server.refresh.on_demand`: platforms that scanners request from public feeds."""

from __future__ import annotations

from tests.server.fake_catalogue import lines, vulnerabilities
from tests.server.fake_source import HOUR, NOW
from tests.server.public_case import DAY, PublicCase


class OneServerTests(PublicCase):
    """A single server without a configured source."""

    def test_nothing_before(self) -> None:
        """A public feed is not read before one of its platforms is requested."""
        self.tick()
        self.assertEqual((self.source_lists.made, self.refresh.statuses, self.refresh.registry.ready), ({}, {}, False))

    def test_asked_for(self) -> None:
        """A requested platform, and no other, is read at the next tick."""
        self.assertEqual(self.scan(), "not ready")
        self.tick(1)
        self.assertEqual(self.scan(), 12)
        self.assertEqual(set(self.refresh.statuses), {"debian-12"})

    def test_another(self) -> None:
        """A further platform of the same feed is read at once, not when the feed is next due."""
        self.test_asked_for()
        self.assertEqual(self.scan("debian-11"), "not ready")
        self.tick(1)
        self.assertEqual((self.scan("debian-11"), self.scan()), (11, 12))

    def test_no_such_file(self) -> None:
        """A platform without a file is unknown; one whose file has disappeared is still served."""
        self.source_lists.lists["fedora-40"] = [*vulnerabilities(20, "fedora-40")]
        for platform in ("fedora-40", "fedora-99"):
            self.assertEqual(self.scan(platform), "not ready")
        self.tick(1)
        self.assertEqual((self.scan("fedora-40"), self.scan("fedora-99")), (20, "unknown"))
        self.assertEqual((set(self.refresh.statuses), self.refresh.registry.ready), ({"fedora-40"}, True))
        del self.source_lists.lists["fedora-40"]
        self.tick(DAY)
        self.assertEqual(self.scan("fedora-40"), 20)
        self.assertEqual(self.refresh.statuses["fedora-40"].error, "public-fedora: it answered 404")

    def test_no_file_of_any(self) -> None:
        """A platform without a file is unknown even if it is the only one that was requested."""
        self.assertEqual(self.scan("fedora-99"), "not ready")
        self.tick(1)
        self.assertEqual((self.scan("fedora-99"), self.refresh.statuses), ("unknown", {}))
        self.tick(1)
        self.assertEqual((self.scan("fedora-99"), self.refresh.registry.problem), ("unknown", None))

    def test_feed_away(self) -> None:
        """A feed that fails does not delay other feeds, and does not make other names known."""
        self.break_feed("debian-12")
        self.assertEqual((self.scan(), self.scan("ubuntu-24.04")), ("not ready", "not ready"))
        self.tick(1)
        self.assertEqual((self.scan(), self.scan("ubuntu-24.04"), self.scan("amiga-3")), ("not ready", 24, "unknown"))
        self.assertEqual(self.refresh.registry.problem, "public-debian: away")

    def test_no_name(self) -> None:
        """A malformed name is unknown, and so is a platform that no public feed covers."""
        for name in ("amiga-3", "Debian 12", "", "x" * 1000, "-"):
            self.assertEqual(self.scan(name), "unknown")
        self.assertEqual(self.request_table.read().wanted, {})

    def test_not_there(self) -> None:
        """A platform that its feed does not have is unknown; it is looked up again after a day."""
        for platform in ("debian-99", "debian-12"):
            self.assertEqual(self.scan(platform), "not ready")
        self.tick(1)
        self.assertEqual((self.scan("debian-99"), self.scan()), ("unknown", 12))
        self.assertEqual(set(self.refresh.statuses), {"debian-12"})
        self.assertEqual(
            (set(self.request_table.read().wanted), set(self.request_table.read().absent)),
            ({"debian-12"}, {"debian-99"}),
        )
        self.asked_of("debian")
        for _ in range(5):
            self.tick(60)
            self.assertEqual(self.scan("debian-99"), "unknown")
        self.assertEqual(self.asked_of("debian"), [])
        self.source_lists.lists["debian-99"] = [*vulnerabilities(9, "debian-99")]
        self.tick(DAY)
        self.assertEqual(self.scan("debian-99"), "not ready")
        self.tick(1)
        self.assertEqual(self.scan("debian-99"), 9)

    def test_only_not_there(self) -> None:
        """A platform that its feed does not have is unknown, even if no other platform of the feed is requested."""
        self.scan("debian-99")
        self.tick(1)
        self.assertEqual(self.scan("debian-99"), "unknown")
        self.tick(10)
        self.assertEqual((self.refresh.statuses, self.refresh.registry.problem), ({}, None))

    def test_ready(self) -> None:
        """A server that serves a list stays ready while another one is fetched."""
        self.scan()
        self.assertFalse(self.refresh.registry.ready)
        self.tick(1)
        self.break_feed("ubuntu-24.04")
        self.scan("ubuntu-24.04")
        self.tick(1)
        self.assertEqual((self.refresh.registry.ready, self.refresh.statuses["ubuntu-24.04"].snapshot), (True, None))

    def test_restart(self) -> None:
        """After a restart a requested platform is served at once, and is refreshed without a new request."""
        self.scan()
        self.tick(1)
        self.asked_of("debian")
        self.source_lists.lists["debian-12"] = [*vulnerabilities(13)]
        self.start()
        self.assertEqual(set(self.refresh.statuses), {"debian-12"})
        for _ in range(2):
            self.tick(HOUR)
        self.assertEqual(self.asked_of("debian"), ["offers"] * 2)

    def test_restart_before_read(self) -> None:
        """After a restart a requested platform that could not be read before is read."""
        self.break_feed("debian-12")
        self.scan()
        self.tick(1)
        self.source_lists.made["debian"].trouble = None
        self.start()
        self.tick()
        self.assertEqual(self.refresh.statuses["debian-12"].snapshot and "there", "there")

    def test_seldom_written(self) -> None:
        """A request for a platform is stored when it is new, and then once a day."""
        written = []
        add_wanted = self.request_table.add_wanted
        self.patch(self.request_table, "add_wanted", lambda asked: (written.append(dict(asked)), add_wanted(asked)))
        for _ in range(49):
            for _ in range(100):
                self.scan()
            self.tick(HOUR)
        self.assertEqual(written, [{"debian-12": NOW + day * DAY} for day in range(3)])

    def test_forgotten(self) -> None:
        """A platform that was not requested for a month is no longer read, served or missing."""
        for platform in ("debian-11", "debian-12", "ubuntu-24.04"):
            self.scan(platform)
        self.tick(1)
        for _ in range(31):
            self.tick(DAY)
            self.scan("debian-12")
        self.tick(10)
        self.assertEqual((set(self.refresh.statuses), self.refresh.registry.ready), ({"debian-12"}, True))
        self.assertEqual([snapshot.platform for snapshot in self.catalogue.current()], ["debian-12"])
        self.asked_of("debian"), self.asked_of("ubuntu")
        for _ in range(3):
            self.tick(HOUR)
        self.assertEqual((self.asked_of("ubuntu"), self.source_lists.made["debian"].wanted), ([], {"debian-12"}))
        self.assertEqual(self.lists.facts("ubuntu-24.04"), {})
        self.assertEqual(set(self.refresh.statuses), {"debian-12"})
        self.assertEqual(self.scan("ubuntu-24.04"), "not ready")
        self.tick(1)
        self.assertEqual(self.scan("ubuntu-24.04"), 24)

    def test_imported(self) -> None:
        """An imported list is not withdrawn if no public feed could be asked for a month."""
        self.catalogue.publish("debian-12", lines(vulnerabilities(5)), {}, NOW)
        self.break_feed("debian-12")
        self.tick(10)
        self.assertEqual(self.source_lists.made["debian"].asked, [])
        self.assertEqual(self.scan(), 5)
        for _ in range(32):
            self.tick(DAY)
        self.assertEqual((self.scan(), self.request_table.read().wanted), (5, {}))


class ConfiguredTests(PublicCase):
    """A server with a configured source, which has Alpine."""

    def setUp(self) -> None:
        super().setUp()
        self.configured = [self.source]
        del self.source.lists["debian-12"]
        self.put("alpine-3.20", 3)
        self.start()

    def test_what_it_has(self) -> None:
        """Platforms of a configured source are not requested elsewhere; until they are known, no platform is."""
        self.put("debian-12", 7)
        self.assertEqual([self.scan(), self.scan("ubuntu-24.04")], ["not ready"] * 2)
        self.tick()
        self.assertEqual([self.scan(), self.scan("ubuntu-24.04")], [7, "not ready"])
        self.tick(1)
        self.assertEqual([self.scan(), self.scan("ubuntu-24.04")], [7, 24])
        self.assertEqual(set(self.source_lists.made), {"ubuntu"})

    def test_gets_it(self) -> None:
        """A platform that a configured source obtains is no longer read from a public feed."""
        self.tick()
        self.scan()
        self.tick(1)
        self.assertEqual(self.scan(), 12)
        self.put("debian-12", 13)
        self.tick(HOUR)
        self.assertEqual((self.scan(), self.request_table.read().wanted), (13, {}))
        self.asked_of("debian")
        self.tick(HOUR)
        self.assertEqual(self.asked_of("debian"), [])

    def test_same_name(self) -> None:
        """A public source with the name of a configured one is not read."""
        self.source.name = "public-debian"
        self.tick()
        self.scan()
        self.tick(1)
        self.assertEqual((self.scan(), self.scan("alpine-3.20")), ("unknown", 3))


class ChosenTests(PublicCase):
    """A server with chosen platforms."""

    platforms = ("debian-12", "alpine-3.20", "amiga-3")

    def setUp(self) -> None:
        super().setUp()
        self.configured = [self.source]
        self.source.lists = {"alpine-3.20": [*vulnerabilities(3, "alpine-3.20")]}
        self.start()

    def test_read(self) -> None:
        """Chosen platforms without a configured source are read from public feeds; others are not requested."""
        self.tick()
        self.tick(10)
        self.assertEqual([self.scan(name) for name in self.platforms], [12, 3, "not ready"])
        self.assertEqual(self.scan("ubuntu-24.04"), "unknown")
        self.tick(1)
        self.assertEqual((set(self.source_lists.made), self.request_table.read().wanted), ({"debian"}, {}))
        self.assertEqual([self.refresh.registry.is_ready(name) for name in self.platforms], [True, True, False])
