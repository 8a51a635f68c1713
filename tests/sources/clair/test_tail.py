"""Tests for :mod:`patches.sources.clair.tail`: changes of a list are found at its end."""

from __future__ import annotations

from datetime import timedelta

from patches.skipped import SLASH, UNREADABLE
from patches.sources.clair import parser as clair_left_out
from patches.sources.clair.source import ClairSettings, ClairSource
from patches.sources.fetch.retry import FetchSettings
from tests.sources.clair_in_memory import named
from tests.sources.clair_tail_case import HALF_HOUR, TailCase


class UnchangedTests(TailCase):
    """A list in which nothing changed."""

    def test_before(self) -> None:
        """Before the first pass, the state of a list is unknown."""
        clair = self.source()
        offers = self.successResultOf(self.deferred(clair.offers()))
        self.assertEqual([(offer.key, offer.state) for offer in offers], [("debian-9", None)])

    def test_requests(self) -> None:
        """
        A check costs two requests besides that for the namespaces: the row at the end of the list, and its details.
        """
        self.assert_unchanged()
        self.assertEqual(self.double.requests, {"namespaces": 1, "list": 1, "details": 1})

    def test_kept_alive(self) -> None:
        """Every half hour there is a third request: the token is renewed before it expires."""
        for _ in range(40):
            self.double.requests.clear()
            self.clock.advance(HALF_HOUR)
            self.assert_unchanged()
            self.assertEqual(self.double.requests, {"namespaces": 1, "list": 2, "details": 1})
        self.change("b")
        self.assert_changed()
        self.assert_taken("d", "b")

    def test_renewed_in_time(self) -> None:
        """More frequent checks do not renew the token more often."""
        for _ in range(10):
            self.clock.advance(HALF_HOUR / 6)
            self.assert_unchanged()
        self.assertEqual(self.double.requests, {"namespaces": 10, "list": 12, "details": 10})

    def test_last_cannot_be_fetched(self) -> None:
        """A last row whose details cannot be fetched is compared by its name only."""
        self.double.load("debian:9", named("x/y"))
        self.assert_changed()
        self.assert_taken("d", "x/y")
        self.double.requests.clear()
        self.assert_unchanged()
        self.assertEqual(self.double.requests, {"namespaces": 1, "list": 1})

    def test_states_are_of_one_source(self) -> None:
        """The state of another run of the program is unknown: the list is read completely."""
        clair = self.clair
        self.clair = self.source()
        self.assertIsNone(self.offered())
        self.assertEqual(self.take(), ["a", "b", "c", "d"])
        self.assertFalse(clair.listing("debian-9", self.states["debian-9"]).partial)


class ChangeTests(TailCase):
    """Lists in which something changed."""

    def test_packages_alone(self) -> None:
        """A vulnerability whose packages changed is found; the last row is read again with it."""
        self.change("b")
        self.assert_changed()
        self.double.requests.clear()
        self.assertEqual(self.take(), ["d", "b"])
        self.assertEqual(self.double.requests, {"list": 2, "details": 2})
        self.assertEqual(self.have["debian-9"], {"a": "1.0-1", "b": "2.0-1", "c": "1.0-1", "d": "1.0-1"})
        self.assert_unchanged()

    def test_new(self) -> None:
        """A new vulnerability is found."""
        self.change("e")
        self.assert_changed()
        self.assert_taken("d", "e")

    def test_last(self) -> None:
        """A change of the last row is found, again and again."""
        for version in ("2", "3", "4"):
            self.change("d", version)
            self.assert_changed()
            self.assert_taken("d")
            self.assertEqual(self.have["debian-9"]["d"], version)

    def test_last_among_others(self) -> None:
        """A last row that moved behind others is found."""
        for name in ("a", "d", "c"):
            self.change(name)
        self.assert_changed()
        self.assert_taken("a", "d", "c")
        self.assertEqual(set(self.have["debian-9"].values()), {"1.0-1", "2.0-1"})

    def test_same_again(self) -> None:
        """If all rows that changed last change again in the same order, all are found."""
        for version in ("2", "3"):
            for name in ("b", "c", "d"):
                self.change(name, version)
            self.assert_changed()
            self.take()
            self.assertEqual(self.have["debian-9"], {"a": "1.0-1", "b": version, "c": version, "d": version})

    def test_many(self) -> None:
        """Changes of several pages are read to their end."""
        self.clair = self.source(page_size=3)
        self.take()
        for number in range(10):
            self.change(f"e{number}")
        self.assert_changed()
        self.assert_taken("d", *(f"e{number}" for number in range(10)))

    def test_two_namespaces(self) -> None:
        """Lists are followed independently, although rows are numbered across all of them."""
        self.double.load("debian:10", named("a", "b"))
        self.take("debian-10")
        self.change("a")
        self.change("b", namespace="debian:10")
        self.change("c", "3")
        self.assert_changed()
        self.assert_changed("debian-10")
        self.assertEqual(self.take("debian-10"), ["b"])
        self.assert_changed()
        self.assert_taken("d", "a", "c")
        self.assert_unchanged("debian-10")
        self.change("z", namespace="debian:10")
        self.assert_unchanged()
        self.assert_changed("debian-10")

    def test_after_it_was_told(self) -> None:
        """A change after a list was reported as unchanged is found at the next check."""
        self.assert_unchanged()
        self.change("a")
        self.assert_changed()
        self.assert_taken("d", "a")

    def test_kept_alive_unread(self) -> None:
        """Changes that are not read for a day are found nevertheless."""
        self.change("a")
        self.double.delete("debian:9", "b")
        for _ in range(40):
            self.clock.advance(HALF_HOUR)
            self.assert_changed()
        self.assertEqual(self.take(), ["d", "a"])

    def test_left_out(self) -> None:
        """Skipped entries are counted for the whole list, and each entry once."""
        self.double.load("debian:9", [{"Name": "e", "FixedIn": [{"Name": "p"}]}, {"Name": "e/f"}])
        self.take()
        self.assertEqual((self.listing.skipped, self.listing.found), ({UNREADABLE: 1, SLASH: 1}, 3))
        self.double.load("debian:9", [{"Name": "g/h"}, {"Name": "e/f"}])
        self.take()
        self.assertEqual(self.listing.skipped, {UNREADABLE: 1, SLASH: 2})
        self.change("e")
        self.take()
        self.assertEqual(self.listing.skipped, {SLASH: 2})
        self.assertEqual(self.have["debian-9"]["e"], "2.0-1")

    def test_too_much_left_out(self) -> None:
        """A list with more skipped entries than are remembered is read completely."""
        self.patch(clair_left_out, "MAX_LEFT_OUT", 2)
        self.double.load("debian:9", named("e/f", "g/h"))
        self.take()
        self.assert_unchanged()
        self.double.load("debian:9", named("i/j", "k"))
        self.assert_changed()
        self.take()
        self.assertEqual((self.listing.skipped, self.listing.state), ({SLASH: 3}, None))
        self.assertIsNone(self.offered())
        self.assertFalse(self.clair.listing("debian-9", None).partial)


class SettingTests(TailCase):
    """Intervals and rates."""

    def test_full_walk(self) -> None:
        """The interval of full passes is configurable; offers are requested at least as often."""
        for minutes, asked in ((10, 10), (30, 30), (600, 30)):
            settings = ClairSettings(full_walk=timedelta(minutes=minutes))
            self.assertEqual(self.made(settings).ask_within, timedelta(minutes=asked))

    def made(self, settings: ClairSettings) -> ClairSource:
        """Create a source."""
        return ClairSource(None, "http://clair.test", self.clock, settings)  # type: ignore[arg-type]

    def test_rate(self) -> None:
        """The rate limits requests for changes too."""
        self.clair = self.source(rate=2.0)
        reading = self.reading(listing := self.clair.listing("debian-9"))
        self.pass_time(5)
        self.commit_changes("debian-9", listing, self.successResultOf(reading))
        for name in "abc":
            self.change(name)
        self.double.requests.clear()
        reading = self.reading(self.clair.listing("debian-9", listing.state))
        for number in range(1, 6):
            self.assertEqual(self.double.requests.total(), number)
            self.assertNoResult(reading)
            self.pass_time(0.5, 0.5)
        self.assertEqual(len(self.successResultOf(reading)), 4)

    def test_kept_alive_by_a_walk(self) -> None:
        """While another list is read for hours, the token is renewed."""
        self.double.load("debian:10", named(*(f"CVE-{number}" for number in range(600))))
        settings = FetchSettings(rate=0.05)
        self.clair = self.source(rate=settings.rate)
        first = self.reading(self.clair.listing("debian-9"))
        self.pass_time(300, 10)
        self.states["debian-9"] = None
        self.successResultOf(first)
        before = self.clair._tails._lists["debian-9"].tail
        reading = self.reading(self.clair.listing("debian-10"))
        self.pass_time(20 * 700, 10)
        self.assertEqual(len(self.successResultOf(reading)), 600)
        self.change("a")
        assert before is not None
        following = self.reading(self.clair.listing("debian-9", before.state))
        self.pass_time(300, 10)
        self.assertEqual([each.name for each in self.successResultOf(following)], ["d", "a"])
