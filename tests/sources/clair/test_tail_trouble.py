"""Tests for :mod:`patches.sources.clair.tail`: lists that change during a pass, and tails that are lost."""

from __future__ import annotations

from collections.abc import AsyncIterator

from patches.errors import ListChanged, SourceError
from patches.testing import Trouble
from patches.vulnerability import Vulnerability
from tests.sources.clair_in_memory import named
from tests.sources.clair_tail_case import HALF_HOUR, TailCase


class MeanwhileTests(TailCase):
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

    def test_during_the_tail(self) -> None:
        """A change during the pass is found by the next one, and changes that were already read are read again."""
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
        """After a failure in the middle, the next pass yields the same changes: the tail is not lost."""
        for name in "abc":
            self.change(name)
        self.begin()
        self.assertEqual(self.step(), "d")
        self.double.fail(Trouble.DATABASE, 1, "details")
        self.failureResultOf(self.reading(self.walk), SourceError)  # type: ignore[arg-type]
        self.assert_changed()
        self.assert_taken("d", "a", "b", "c")

    def test_not_taken_over(self) -> None:
        """If the records could not be stored, the list is read completely."""
        before = self.states["debian-9"]
        self.change("a")
        self.read(self.clair.listing("debian-9", before))
        self.change("b")
        self.assert_changed()
        self.assert_taken("c", "d", "a", "b", partial=False)

    def change_before(self, number: int, *changes: tuple[str, str]) -> None:
        """Make changes before the n-th next request for a list."""
        left = [number]

        def meddle(target: str) -> None:
            if "limit" in target:
                left[0] -= 1
                for change in changes if left[0] == -1 else ():
                    self.change(*change)

        self.meddle = meddle

    def test_before_its_end_is_told(self) -> None:
        """A change after the last page, and before its end is known, is found: at once, or by the next pass."""
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
        """If the last page changed before its end is known, all its rows are read once more."""
        self.double.load("debian:9", named(*"efgh"))
        self.change_before(3, ("g", "3"))
        self.clair = self.source(page_size=3, parallel=1)
        self.assertEqual(self.take(), list("abcdefgh"))
        self.assert_changed()
        self.assert_taken("h", "g")


class LossTests(TailCase):
    """Tails that are lost."""

    def assert_whole(self, *names: str) -> None:
        """Check that the list is read completely, even if the caller asks for changes only."""
        listing = self.clair.listing("debian-9", self.states["debian-9"])
        if listing.partial:
            self.failureResultOf(self.reading(listing), ListChanged)
        self.assert_taken(*names, partial=False)

    def test_restarted(self) -> None:
        """A restarted Clair knows no token: the list is read completely."""
        self.change("a")
        self.double.restart()
        self.assert_changed()
        self.assert_whole("b", "c", "d", "a")

    def test_restarted_unchanged(self) -> None:
        """It is then unknown whether anything changed."""
        self.double.restart()
        self.assert_changed()
        self.assert_whole("a", "b", "c", "d")

    def test_restarted_later(self) -> None:
        """The same holds if that is found while the list is read."""
        self.change("a")
        self.assert_changed()
        self.double.restart()
        self.assert_whole("b", "c", "d", "a")

    def test_expired(self) -> None:
        """A token that is too old is refused."""
        self.clock.advance(3601)
        self.assert_changed()
        self.assert_whole("a", "b", "c", "d")

    def test_lost_again(self) -> None:
        """A Clair that forgets its tokens is not read completely at each check, but once in six hours."""
        whole = 0
        for _ in range(48):
            self.clock.advance(HALF_HOUR)
            self.double.restart()
            if self.offered() is not None:
                self.take()
                whole += not self.listing.partial
        self.assertEqual(whole, 4)

    def test_last_deleted(self) -> None:
        """If the last row is gone the list is read completely: something was deleted."""
        self.double.delete("debian:9", "d")
        self.assert_changed()
        self.assert_whole("a", "b", "c")

    def test_last_deleted_among_changes(self) -> None:
        """The same holds if other rows are in its place."""
        self.double.delete("debian:9", "d")
        self.change("a")
        self.assert_changed()
        self.assert_whole("b", "c", "a")

    def test_gone_when_asked_for(self) -> None:
        """The same holds if a changed row is deleted before it is requested."""
        self.change("a")
        self.meddle = lambda target: self.double.delete("debian:9", "a") if "/a?" in target else None
        self.failureResultOf(self.reading(self.clair.listing("debian-9", self.states["debian-9"])), ListChanged)
        self.meddle = lambda target: None
        self.assertNotIn("a", self.take())
        self.assertFalse(self.listing.partial)

    def test_deleted(self) -> None:
        """Other deletions are found by the daily full pass, and not before."""
        self.double.delete("debian:9", "b")
        for _ in range(47):
            self.clock.advance(HALF_HOUR)
            self.assert_unchanged()
        self.clock.advance(HALF_HOUR)
        self.assert_changed()
        self.assert_whole("a", "c", "d")

    def test_several_writers(self) -> None:
        """So is a row of a slow writer that becomes visible after a later row."""
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
        """A list whose last page became empty during the walk is followed from there, as long as its token is valid."""
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
