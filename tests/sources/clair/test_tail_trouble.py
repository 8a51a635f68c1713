"""Tests for :mod:`patches.sources.clair.tail`: lists that change under a reading, and tails that are lost."""

from __future__ import annotations

from collections.abc import AsyncIterator

from patches.interfaces import ListChanged, SourceError
from patches.testing import Trouble
from patches.vulnerability import Vulnerability
from tests.sources.clair_in_memory import named
from tests.sources.clair_tail_case import HALF_HOUR, TailCase


class MeanwhileTests(TailCase):
    """Changes while a list is read."""

    def begin(self) -> AsyncIterator[Vulnerability]:
        """Begin to read what changed."""
        self.listing = self.clair.listing("debian-9", self.states["debian-9"])
        self.walk = self.listing.__aiter__()
        return self.walk

    def step(self) -> str:
        """Take the next one."""
        return self.successResultOf(self.deferred(self.walk.__anext__())).name  # type: ignore[arg-type]

    def rest(self) -> list[str]:
        """Take all that are left."""
        return self.commit_changes("debian-9", self.listing, self.successResultOf(self.reading(self.walk)))  # type: ignore[arg-type]

    def test_during_the_tail(self) -> None:
        """What changes while the tail is read is found the next time, and what was read already comes again."""
        self.change("a")
        self.change("b")
        self.begin()
        self.assertEqual((self.step(), self.step()), ("d", "a"))
        self.change("a", "3")
        self.change("e")
        self.assertEqual(self.rest(), ["b"])
        self.assert_changed()
        self.assert_taken("b", "a", "e")
        self.assertEqual(self.have["debian-9"]["a"], "3")

    def test_failure(self) -> None:
        """When it fails in the middle, the same changes come again the next time: the tail is not lost."""
        for name in "abc":
            self.change(name)
        self.begin()
        self.assertEqual(self.step(), "d")
        self.double.fail(Trouble.DATABASE, 1, "details")
        self.failureResultOf(self.reading(self.walk), SourceError)  # type: ignore[arg-type]
        self.assert_changed()
        self.assert_taken("d", "a", "b", "c")

    def test_not_taken_over(self) -> None:
        """When what was read could not be kept, the list is read whole."""
        before = self.states["debian-9"]
        self.change("a")
        self.read(self.clair.listing("debian-9", before))
        self.change("b")
        self.assert_changed()
        self.assert_taken("c", "d", "a", "b", partial=False)

    def change_before(self, number: int, *changes: tuple[str, str]) -> None:
        """Have changes made before the next request for a list but so many."""
        left = [number]

        def meddle(target: str) -> None:
            if "limit" in target:
                left[0] -= 1
                for change in changes if left[0] == -1 else ():
                    self.change(*change)

        self.meddle = meddle

    def test_before_its_end_is_told(self) -> None:
        """What changes after the last page, and before its end is told, is found: at once, or the next time."""
        everything = [(name, "3") for name in "abcd"]
        for changes in ([("a", "3")], [("d", "3")], [("b", "3"), ("a", "3")], [("e", "3")], everything):
            self.setUp()
            self.states.clear()
            self.change_before(1, *changes)
            self.take()
            if self.offered() != self.states["debian-9"]:
                self.take()
            self.assertEqual(self.have["debian-9"], dict.fromkeys("abcd", "1.0-1") | dict(changes))

    def test_page_changed(self) -> None:
        """When the last page changed before its end is told, all that is on it comes once more."""
        self.double.load("debian:9", named(*"efgh"))
        self.change_before(3, ("g", "3"))
        self.clair = self.source(page_size=3, parallel=1)
        self.assertEqual(self.take(), list("abcdefgh"))
        self.assert_changed()
        self.assert_taken("h", "g")


class LossTests(TailCase):
    """Tails that are lost."""

    def assert_whole(self, *names: str) -> None:
        """Check that the list is read whole, by whoever believes to have only what changed to read."""
        listing = self.clair.listing("debian-9", self.states["debian-9"])
        if listing.partial:
            self.failureResultOf(self.reading(listing), ListChanged)
        self.assert_taken(*names, partial=False)

    def test_restarted(self) -> None:
        """A Clair that was started anew knows no token: the list is read whole."""
        self.change("a")
        self.double.restart()
        self.assert_changed()
        self.assert_whole("b", "c", "d", "a")

    def test_restarted_unchanged(self) -> None:
        """Whether anything changed is not known then."""
        self.double.restart()
        self.assert_changed()
        self.assert_whole("a", "b", "c", "d")

    def test_restarted_later(self) -> None:
        """The same if it is found while the list is read."""
        self.change("a")
        self.assert_changed()
        self.double.restart()
        self.assert_whole("b", "c", "d", "a")

    def test_expired(self) -> None:
        """A token that got too old is refused."""
        self.clock.advance(3601)
        self.assert_changed()
        self.assert_whole("a", "b", "c", "d")

    def test_lost_again(self) -> None:
        """A Clair that knows no token of its own is not read whole each time it is asked, but once in six hours."""
        whole = 0
        for _ in range(48):
            self.clock.advance(HALF_HOUR)
            self.double.restart()
            if self.offered() is not None:
                self.take()
                whole += not self.listing.partial
        self.assertEqual(whole, 4)

    def test_last_deleted(self) -> None:
        """When the last row is gone the list is read whole: it tells that something was deleted."""
        self.double.delete("debian:9", "d")
        self.assert_changed()
        self.assert_whole("a", "b", "c")

    def test_last_deleted_among_changes(self) -> None:
        """The same if others stand in its place."""
        self.double.delete("debian:9", "d")
        self.change("a")
        self.assert_changed()
        self.assert_whole("b", "c", "a")

    def test_gone_when_asked_for(self) -> None:
        """When a changed one is gone before it is asked for, the same."""
        self.change("a")
        self.meddle = lambda target: self.double.delete("debian:9", "a") if "/a?" in target else None
        self.failureResultOf(self.reading(self.clair.listing("debian-9", self.states["debian-9"])), ListChanged)
        self.meddle = lambda target: None
        self.assertNotIn("a", self.take())
        self.assertFalse(self.listing.partial)

    def test_deleted(self) -> None:
        """Any other deletion is found when the list is read whole again: a day after it was, and not before."""
        self.double.delete("debian:9", "b")
        for _ in range(47):
            self.clock.advance(HALF_HOUR)
            self.assert_unchanged()
        self.clock.advance(HALF_HOUR)
        self.assert_changed()
        self.assert_whole("a", "c", "d")

    def test_several_writers(self) -> None:
        """So is what one of several writers wrote that was seen after a later one's."""
        show = self.double.begin_change("debian:9", {"Name": "late"})
        self.change("a")
        self.assert_changed()
        self.assert_taken("d", "a")
        show()
        for _ in range(47):
            self.clock.advance(HALF_HOUR)
            self.assert_unchanged()
        self.clock.advance(HALF_HOUR)
        self.assert_changed()
        self.assert_whole("b", "c", "d", "late", "a")

    def test_empty_end(self) -> None:
        """A list whose last page was emptied under the walk is followed from there, as long as its token lives."""
        clair = self.source(page_size=2, parallel=1, tries=1)
        listing = clair.listing("debian-9")
        walk = listing.__aiter__()
        self.successResultOf(self.deferred(walk.__anext__()))  # type: ignore[arg-type]
        self.double.delete("debian:9", "c")
        self.double.delete("debian:9", "d")
        self.clair = clair
        self.commit_changes("debian-9", listing, self.successResultOf(self.reading(walk)))  # type: ignore[arg-type]
        self.assert_unchanged()
        self.change("a")
        self.assert_changed()
        self.assert_taken("a")
