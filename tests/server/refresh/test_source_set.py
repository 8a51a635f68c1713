"""Tests for :mod:`patches.server.refresh.source_set`."""

from __future__ import annotations

from datetime import timedelta

from twisted.trial.unittest import SynchronousTestCase

from patches.interfaces import Offer
from patches.server.refresh.source_set import SourceSet
from patches.server.refresh.source_state import SourceState
from tests.server.fake_source import PutPublic, PutSource

HOUR = timedelta(hours=1)


class SourceSetTests(SynchronousTestCase):
    """One configured source, and public ones."""

    def setUp(self) -> None:
        self.public = PutPublic()
        self.sources = SourceSet([PutSource("own")], self.public)
        (self.own,) = self.sources.states

    def settle(self, state: SourceState, *offers: Offer) -> None:
        """Take the answer of a source, and read its lists."""
        state.take(offers)
        for schedule in state.lists_of(None):
            schedule.succeed(0.0, HOUR)

    def names(self) -> list[str]:
        """Return the names of all sources."""
        return [state.source.name for state in self.sources.states]

    def test_before(self) -> None:
        """Before a source has answered, neither its platforms are known nor whether it has any."""
        self.assertEqual(
            (self.sources.is_configured, self.sources.is_known, self.sources.is_empty), (True, False, False)
        )
        self.assertEqual((self.sources.platforms, self.sources.has_answered(0.0)), (set(), False))
        self.assertFalse(SourceSet([], self.public).is_configured)
        self.assertFalse(SourceSet([], self.public).is_empty)

    def test_platforms(self) -> None:
        """The platforms of the configured sources are known once every list's are."""
        self.settle(self.own, Offer("a", None, "debian-12"), Offer("b"))
        self.assertEqual((self.sources.platforms, self.sources.is_known), ({"debian-12"}, False))
        self.own.source_lists["b"].platforms = {"alpine-3.20", "debian-12"}
        self.assertEqual((self.sources.platforms, self.sources.is_known), ({"alpine-3.20", "debian-12"}, True))
        self.assertEqual([each.offer.key for each in self.sources.source_lists("debian-12")], ["a", "b"])
        self.assertEqual([each.offer.key for each in self.sources.source_lists("alpine-3.20")], ["b"])

    def test_empty(self) -> None:
        """A source that has answered that it has no list has none."""
        self.settle(self.own)
        self.assertTrue(self.sources.is_empty)
        self.settle(self.own, Offer("a"))
        self.assertFalse(self.sources.is_empty)

    def test_problem(self) -> None:
        """The problem has the errors of all sources and lists, with the names of the sources."""
        self.settle(self.own, Offer("a"))
        self.assertIsNone(self.sources.problem)
        self.own.source_lists["a"].attempts.fail("broken", 0.0, HOUR)
        self.assertEqual(self.sources.problem, "own: broken")
        self.own.attempts.fail("away", 0.0, HOUR)
        self.assertEqual(self.sources.problem, "own: away; own: broken")

    def test_public(self) -> None:
        """Public sources are added for requested platforms, once for each family, and are due at once."""
        self.assertEqual(
            self.sources.add_public_sources({"debian-12", "debian-11", "ubuntu-24.04", "rhel-9"}, 7.0), set()
        )
        self.assertEqual(self.names()[0], "own")
        self.assertEqual(sorted(self.names()[1:]), ["public-debian", "public-ubuntu"])
        self.assertEqual([state.source.name for state in self.sources.states_of("debian-11")], ["own", "public-debian"])
        self.assertEqual([state.source.name for state in self.sources.states_of("rhel-9")], ["own"])
        self.assertTrue(all(state.is_due(7.0) for state in self.sources.states))

    def test_kept(self) -> None:
        """A public source keeps its state while it is needed, and is due again for a new platform only."""
        self.sources.add_public_sources({"debian-12"}, 0.0)
        state = self.sources.states[1]
        self.settle(state, Offer("all"))
        self.sources.add_public_sources({"debian-12", "ubuntu-24.04"}, 1.0)
        self.assertIs(self.sources.states_of("debian-12")[1], state)
        self.assertFalse(state.is_due(1.0))
        self.sources.add_public_sources({"debian-12", "debian-11"}, 2.0)
        self.assertTrue(state.is_due(2.0))

    def test_no_longer_needed(self) -> None:
        """The names of public sources that are no longer needed are returned."""
        self.sources.add_public_sources({"debian-12", "ubuntu-24.04"}, 0.0)
        self.assertEqual(self.sources.add_public_sources({"debian-12"}, 0.0), {"public-ubuntu"})
        self.assertEqual(self.sources.add_public_sources({"debian-12"}, 0.0), set())
        self.assertEqual(self.sources.add_public_sources(set(), 0.0), {"public-debian"})
        self.assertEqual(self.names(), ["own"])

    def test_same_name(self) -> None:
        """A configured source takes the place of the public one of its name."""
        sources = SourceSet([PutSource("public-debian")], self.public)
        sources.add_public_sources({"debian-12", "ubuntu-24.04"}, 0.0)
        self.assertEqual([state.source.name for state in sources.states], ["public-debian", "public-ubuntu"])

    def test_lacks(self) -> None:
        """A platform is absent once its public source was read without it; one that nobody has is absent at once."""
        self.assertTrue(self.sources.lacks("rhel-9", 0.0))
        self.sources.add_public_sources({"debian-12"}, 0.0)
        self.assertFalse(self.sources.lacks("debian-12", 0.0))
        state = self.sources.states[1]
        self.settle(state, Offer("all"))
        self.assertTrue(self.sources.lacks("debian-12", 1.0))
        state.source_lists["all"].platforms = {"debian-12"}
        self.assertFalse(self.sources.lacks("debian-12", 1.0))
        state.source_lists["all"].attempts.absent = True
        self.assertTrue(self.sources.lacks("debian-12", 1.0))

    def test_answered(self) -> None:
        """A source has answered when it was asked with whatever result, until it is due again."""
        self.own.attempts.fail("away", 0.0, HOUR)
        self.assertTrue(self.sources.has_answered(0.0))
        self.assertFalse(self.sources.has_answered(3600.0))

    def test_recheck(self) -> None:
        """Everything is due, and doubted, after another server was the leader."""
        self.settle(self.own, Offer("a"))
        self.assertFalse(self.own.is_due(1.0))
        self.sources.recheck_all(1.0)
        self.assertTrue(self.own.is_due(1.0) and self.own.doubted and self.own.source_lists["a"].doubted)
