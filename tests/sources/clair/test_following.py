"""Tests for :mod:`patches.sources.clair.source` and its listings: lists that were read are followed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

from patches.errors import SourceError
from patches.skipped import SLASH, UNREADABLE
from patches.sources.clair import listing as clair_listing
from patches.sources.clair import skipped_entries
from patches.sources.clair.source import ClairSettings, ClairSource
from patches.testing import Trouble
from patches.vulnerability import Severity, Vulnerability
from tests.sources.clair_follow_case import HALF_HOUR, FollowCase
from tests.sources.clair_in_memory import named


class UnchangedTests(FollowCase):
    """A list in which nothing changed."""

    def test_before(self) -> None:
        """Before the first pass, the state of a list is unknown."""
        offers = self.successResultOf(self.deferred(self.source().offers()))
        self.assertEqual([(offer.key, offer.state) for offer in offers], [("debian-9", None)])

    def test_requests(self) -> None:
        """A check costs the pages of the list and the details of its last row, besides the request for namespaces."""
        self.assert_unchanged()
        self.assertEqual(self.double.requests, {"namespaces": 1, "list": 1, "details": 1})

    def test_soon_again(self) -> None:
        """Within half an hour, a further check of a long list costs its last page only; later, all pages again."""
        self.double.load("debian:9", named(*(f"e{number}" for number in range(20))))
        self.clair = self.source(page_size=5)
        self.take()
        pages = []
        for pause in (0, 600, 600, 700):
            self.clock.advance(pause)
            self.double.requests.clear()
            self.assert_unchanged()
            pages.append(self.double.requests["list"])
        self.assertEqual(pages, [5, 1, 1, 5])
        self.change("e19", "3")
        self.assert_changed()
        self.assert_taken("e19")
        self.clock.advance(600)
        self.double.restart()
        self.assert_unchanged()

    def test_last_cannot_be_fetched(self) -> None:
        """If the details of the last row cannot be fetched, those of the row before it are compared."""
        self.double.load("debian:9", named("x/y"))
        self.assert_changed()
        self.assert_taken("x/y")
        self.double.requests.clear()
        self.assert_unchanged()
        self.assertEqual(self.double.requests, {"namespaces": 1, "list": 1, "details": 1})

    def test_states_are_of_one_source(self) -> None:
        """The notes of another source are unknown: the list is read completely."""
        self.clair = self.source()
        self.assertIsNone(self.offered())
        self.assertEqual(self.take(), ["a", "b", "c", "d"])

    def test_restarted(self) -> None:
        """A restart of Clair, which ends the life of all tokens, costs the same as any other check."""
        self.double.restart()
        self.assert_unchanged()
        self.assertEqual(self.double.requests, {"namespaces": 1, "list": 1, "details": 1})

    def test_full_walk(self) -> None:
        """Once a day all details are read again."""
        for _ in range(47):
            self.clock.advance(HALF_HOUR)
            self.assert_unchanged()
        self.clock.advance(HALF_HOUR)
        self.assert_changed()
        self.assert_taken("a", "b", "c", "d", partial=False)


class ChangeTests(FollowCase):
    """Lists in which something changed."""

    def test_packages_alone(self) -> None:
        """A vulnerability whose packages changed is found, and nothing else is read but the last row before it."""
        self.change("b")
        self.assert_changed()
        self.double.requests.clear()
        self.assertEqual(self.take(), ["b"])
        self.assertEqual(self.double.requests, {"list": 2, "details": 3})
        self.assertEqual(self.have["debian-9"], {"a": "1.0-1", "b": "2.0-1", "c": "1.0-1", "d": "1.0-1"})
        self.assert_unchanged()

    def test_new(self) -> None:
        """A new vulnerability is found."""
        self.change("e")
        self.assert_changed()
        self.assert_taken("e")

    def test_last(self) -> None:
        """A change of the last row is found, again and again."""
        for version in ("2", "3", "4"):
            self.change("d", version)
            self.assert_changed()
            self.assert_taken("d")
            self.assertEqual(self.have["debian-9"]["d"], version)

    def test_same_order(self) -> None:
        """If the last rows change in the order in which they were, all are found; also after a restart of Clair."""
        for version in ("2", "3"):
            for name in ("b", "c", "d"):
                self.change(name, version)
            self.double.restart()
            self.assert_changed()
            self.assert_taken("d", "c", "b")
            self.assertEqual(self.have["debian-9"], {"a": "1.0-1", "b": version, "c": version, "d": version})

    def test_many(self) -> None:
        """Changes of several pages are read to their end."""
        self.clair = self.source(page_size=3)
        self.take()
        for number in range(10):
            self.change(f"e{number}")
        self.assert_changed()
        self.assert_taken(*(f"e{number}" for number in range(10)))

    def test_two_namespaces(self) -> None:
        """Lists are followed independently."""
        self.double.load("debian:10", named("a", "b"))
        self.take("debian-10")
        self.change("a")
        self.change("b", namespace="debian:10")
        self.assert_changed()
        self.assert_changed("debian-10")
        self.assertEqual(self.take("debian-10"), ["b"])
        self.assert_changed()
        self.assert_taken("a")
        self.assert_unchanged("debian-10")

    def test_deleted(self) -> None:
        """A row that was deleted is found by the pages alone: no details are read again, but those of the last row."""
        for name, left in (("b", "acd"), ("d", "ac"), ("a", "c")):
            self.double.delete("debian:9", name)
            self.assert_changed()
            self.double.requests.clear()
            self.assert_taken()
            self.assertEqual("".join(self.have["debian-9"]), left)
            self.assertLessEqual(self.double.requests["details"], 3)

    def test_late_lower_id(self) -> None:
        """A row of a slow writer, which appears in the middle of the list, costs its own details only."""
        show = self.double.begin_change("debian:9", {"Name": "late"})
        for name in "efgh":
            self.change(name)
        self.assert_changed()
        self.assert_taken(*"efgh")
        show()
        self.assert_changed()
        self.double.requests.clear()
        self.assertEqual(self.take(), ["late"])
        self.assertLessEqual(self.double.requests["details"], 4)

    def test_all_deleted(self) -> None:
        """A list that had entries and has none is an error: Clair is being loaded again."""
        for name in "abcd":
            self.double.delete("debian:9", name)
        self.assert_changed()
        listing = self.clair.listing("debian-9", self.states["debian-9"])
        self.assertIn("was not empty before", self.refusal(listing, SourceError))

    def test_one_record_of_two_rows(self) -> None:
        """Rows with the same id and note have records of their own; if one is deleted, the other is kept."""
        names = (
            "CVE-2020-1000",
            "CVE_2020_1000",
            "CVE-2020-1111 XSA-1",
            "CVE-2020-1111  XSA-1",
            "CVE-2020-1111 (XSA-1)",
        )
        self.double.load("debian:9", named(*names))
        found = self.read(listing := self.clair.listing("debian-9"))
        self.assertEqual(len({(each.name, each.entry) for each in found}), 4 + len(names))
        self.states["debian-9"] = listing.state
        self.double.delete("debian:9", "CVE_2020_1000")
        self.double.delete("debian:9", "CVE-2020-1111  XSA-1")
        self.read(listing := self.clair.listing("debian-9", self.states["debian-9"]))
        keys = {("debian-9", "CVE-2020-1000", "CVE_2020_1000"), ("debian-9", "CVE-2020-1111", "CVE-2020-1111  XSA-1")}
        self.assertEqual(listing.gone, keys)

    def test_slash(self) -> None:
        """A name with a slash has what the list tells; a change of that is found, and so is its end."""
        self.double.load("debian:9", [{"Name": "CVE-2018-14466 (AFS/RX)", "Severity": "Low", "Link": "https://x"}])
        (found,) = self.read(listing := self.clair.listing("debian-9", self.states["debian-9"]))
        self.states["debian-9"] = listing.state
        self.assertEqual(
            (found.name, found.severity, found.details_href), ("CVE-2018-14466", Severity.LOW, "https://x")
        )
        self.double.load("debian:9", [{"Name": "CVE-2018-14466 (AFS/RX)", "Severity": "High"}])
        self.assert_changed()
        (found,) = self.read(listing := self.clair.listing("debian-9", self.states["debian-9"]))
        self.assertEqual((found.severity, listing.skipped), (Severity.HIGH, {SLASH: 1}))
        self.states["debian-9"] = listing.state
        self.double.delete("debian:9", "CVE-2018-14466 (AFS/RX)")
        self.read(listing := self.clair.listing("debian-9", self.states["debian-9"]))
        self.assertEqual([(platform, name) for platform, name, _ in listing.gone], [("debian-9", "CVE-2018-14466")])
        self.assertEqual(listing.skipped, {})

    def test_left_out(self) -> None:
        """Skipped entries are counted for the whole list, and each entry once."""
        self.double.load("debian:9", [{"Name": "e", "FixedIn": [{"Name": "p"}]}, {"Name": "e/f"}])
        self.take()
        self.assertEqual((self.listing.skipped, self.listing.found), ({UNREADABLE: 1, SLASH: 1}, 6))
        self.double.load("debian:9", [{"Name": "g/h"}, {"Name": "e/f"}])
        self.take()
        self.assertEqual(self.listing.skipped, {UNREADABLE: 1, SLASH: 2})
        self.change("e")
        self.take()
        self.assertEqual(self.listing.skipped, {SLASH: 2})

    def test_too_much(self) -> None:
        """A list with more skipped entries, or more rows, than are remembered is read completely each time."""
        self.patch(skipped_entries, "MAX_LEFT_OUT", 2)
        self.double.load("debian:9", named("e/f", "g/h", "i/j"))
        self.take()
        self.assertEqual((self.listing.skipped, self.listing.state, self.offered()), ({SLASH: 3}, None, None))
        self.assertFalse(self.clair.listing("debian-9", None).partial)
        self.patch(skipped_entries, "MAX_LEFT_OUT", 1000)
        self.patch(clair_listing, "MOST_FOLLOWED", 6)
        self.take()
        self.assertIsNone(self.listing.state)


class MeanwhileTests(FollowCase):
    """Changes during a pass."""

    def begin(self) -> AsyncIterator[Vulnerability]:
        """Start to read the changes."""
        self.listing = self.clair.listing("debian-9", self.states["debian-9"])
        self.walk = self.listing.__aiter__()
        return self.walk

    def step(self) -> str:
        """Return the name of the next vulnerability."""
        return self.successResultOf(self.deferred(self.walk.__anext__())).name  # type: ignore[arg-type]

    def rest(self) -> list[str]:
        """Return the names of the remaining vulnerabilities."""
        return self.commit_changes("debian-9", self.listing, self.successResultOf(self.reading(self.walk)))  # type: ignore[arg-type]

    def test_during_the_pass(self) -> None:
        """A change during a pass is found by the same pass; so is a deletion."""
        self.change("a")
        self.change("b")
        self.begin()
        self.assertEqual(self.step(), "a")
        self.change("a", "3")
        self.change("e")
        self.double.delete("debian:9", "c")
        self.assertEqual(self.rest(), ["b", "a", "e"])
        self.assert_unchanged()
        self.assertEqual(self.have["debian-9"], {"a": "3", "b": "2.0-1", "d": "1.0-1", "e": "2.0-1"})

    def test_failure(self) -> None:
        """After a failure in the middle, the next pass yields the same changes."""
        for name in "abc":
            self.change(name)
        self.begin()
        self.assertEqual(self.step(), "a")
        self.double.fail(Trouble.DATABASE, 1, "details")
        self.failureResultOf(self.reading(self.walk), SourceError)  # type: ignore[arg-type]
        self.assert_changed()
        self.assert_taken("a", "b", "c")

    def test_not_taken_over(self) -> None:
        """If the records could not be stored, the list is read completely."""
        before = self.states["debian-9"]
        self.change("a")
        self.read(self.clair.listing("debian-9", before))
        self.change("b")
        self.assert_changed()
        self.assert_taken("c", "d", "a", "b", partial=False)

    def test_restarted(self) -> None:
        """A restart of Clair while its pages are walked costs the pages again."""
        self.clair = self.source(page_size=2)
        self.states.clear()
        left = [3]

        def meddle(target: str) -> None:
            left[0] -= "limit" in target
            if left[0] == 1:
                self.double.restart()

        self.meddle = meddle
        self.assertEqual(self.take(), ["a", "b", "c", "d"])

    def test_restarted_again_and_again(self) -> None:
        """A Clair that forgets its tokens each time is an error."""
        self.clair = self.source(page_size=2)
        self.meddle = lambda target: self.double.restart()
        self.assertIn("lost the place", self.refusal(self.clair.listing("debian-9"), SourceError))


class GrowingTests(FollowCase):
    """A Clair that is still loading."""

    def source(self, base_url: str = "http://clair.test:6060", page_size: int = 999, **fetch: int) -> ClairSource:  # type: ignore[override]
        """Create a source that waits until a list is quiet."""
        source = super().source(base_url, page_size, **fetch)
        source._quiet_seconds = 2.0
        return source

    def take(self, key: str = "debian-9") -> list[str]:
        """Read the list, however long it takes."""
        self.listing = self.clair.listing(key, self.states.get(key))
        reading = self.reading(self.listing)
        self.pass_time(5)
        return self.commit_changes(key, self.listing, self.successResultOf(reading))

    def load(self, seconds: float, a_second: int) -> None:
        """Load rows at a rate, while time passes."""
        for _ in range(round(seconds * 2)):
            for _ in range(a_second // 2):
                self.loaded += 1
                self.change(f"row-{self.loaded}")
            self.pass_time(0.5, 0.5)

    def test_waits(self) -> None:
        """A list that grows is read until it has been quiet for two seconds; then it is whole, and not growing."""
        self.loaded = 0
        listing = self.source().listing("debian-9")
        reading = self.reading(listing)
        self.load(30, 34)
        self.assertNoResult(reading)
        self.pass_time(5)
        found = self.successResultOf(reading)
        self.assertEqual((len({each.name for each in found}), listing.is_growing), (self.loaded + 4, False))

    def test_bounded(self) -> None:
        """After two minutes a list that still grows is taken as it is, and says so; then it is followed."""
        self.loaded = 0
        self.clair = self.source()
        self.listing = self.clair.listing("debian-9")
        reading = self.reading(self.listing)
        self.load(125, 4)
        self.assertTrue(self.listing.is_growing)
        self.states.clear()
        self.commit_changes("debian-9", self.listing, self.successResultOf(reading))
        self.assertGreater(len(self.have["debian-9"]), 450)
        self.load(5, 4)
        self.assert_changed()
        self.take()
        self.assertTrue(self.listing.partial)
        self.assertEqual((len(self.have["debian-9"]), self.listing.is_growing), (self.loaded + 4, False))


class SettingTests(FollowCase):
    """Intervals and rates."""

    def test_full_walk(self) -> None:
        """The interval of full passes is configurable; offers are requested at least as often."""
        for minutes, asked in ((10, 10), (30, 30), (600, 30)):
            settings = ClairSettings(full_walk=timedelta(minutes=minutes))
            source = ClairSource(None, "http://clair.test", self.clock, settings)  # type: ignore[arg-type]
            self.assertEqual(source.ask_within, timedelta(minutes=asked))

    def test_short_lists_first(self) -> None:
        """Offers are in the order of the length of their lists, as far as it is known."""
        self.double.load("debian:10", named("a", "b"))
        self.double.load("debian:8", named(*"abcdefgh"))
        offers = self.successResultOf(self.deferred(self.source(page_size=5).offers()))
        self.assertEqual([offer.key for offer in offers], ["debian-10", "debian-9", "debian-8"])

    def test_left_out(self) -> None:
        """Namespaces without a platform are named, with the reason."""
        for name in ("opensuse.leap:15.1", "a:b:c", "debian:11"):
            self.double.add_namespace(name)
        self.successResultOf(self.deferred(self.clair.offers()))
        self.assertEqual(sorted(self.clair.left_out), ["a:b:c", "opensuse.leap:15.1"])
