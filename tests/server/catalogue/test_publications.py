"""Tests for :mod:`patches.server.catalogue.publications`, on SQLite and on PostgreSQL."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from patches.server.catalogue.pruning import MinimumAge
from patches.server.catalogue.publication_store import PublicationStore
from patches.server.catalogue.publications import KEPT_SECONDS
from patches.server.catalogue.schema import CHUNKS, INTERVALS, PUBLICATIONS, open_database
from patches.server.catalogue.snapshot import Snapshot
from patches.server.catalogue.store import Catalogue
from patches.server.errors import CatalogueError
from patches.vulnerability import FOLLOWED, FixedPackage, Vulnerability
from patches.wire import encode_line
from tests.server.databases import DatabaseCase, OnPostgreSQL

#: first and last publication, and whether the last one is current.
Spans = list[tuple[int, int, bool]]


def record(name: str, *aliases: str, platform: str = "debian-12") -> Vulnerability:
    """Create a record."""
    return Vulnerability(name, platform, (FixedPackage("bash", "1-1"),), aliases=aliases)


class PublicationCase(DatabaseCase):
    """A case with an empty catalogue."""

    def setUp(self) -> None:
        self.engine = open_database(self.new_database())
        self.catalogue, self.store = Catalogue(self.engine), PublicationStore(self.engine)
        self.addCleanup(self.catalogue.close)

    def publish(self, now: float, *names: str, platform: str = "debian-12", **options: object) -> Snapshot:
        """Publish a list with a record for each name; aliases follow a name after slashes."""
        records = [record(*name.split("/"), platform=platform) for name in names]
        return self.catalogue.publish(platform, map(encode_line, records), {}, now, **options)  # type: ignore[arg-type]

    def spans(self, name: str, platform: str = "debian-12") -> Spans:
        """Return the intervals of an id."""
        found = self.store.find(name).get(platform, [])
        return [(each.first.number, each.last.number, each.is_current) for each in found]

    def numbers(self, platform: str = "debian-12") -> list[int]:
        """Return the numbers of the stored publications of a platform."""
        query = select(PUBLICATIONS.c.number).where(PUBLICATIONS.c.platform == platform).order_by(PUBLICATIONS.c.number)
        with self.engine.connect() as connection:
            return list(connection.execute(query).scalars())


class PublicationTests(PublicationCase):
    """Publications and the intervals of ids."""

    def test_numbers(self) -> None:
        """Each list that becomes current has the next number of its platform; a check without a change has none."""
        self.assertEqual(self.publish(1, "CVE-1").publication, 1)
        self.assertEqual(self.publish(2, "CVE-1").publication, 1)
        self.assertEqual(self.publish(3, "CVE-1", "CVE-2").publication, 2)
        self.assertEqual(self.publish(4, "CVE-1").publication, 3)
        self.assertEqual(self.publish(5, "CVE-1", platform="alpine-3.20").publication, 1)
        self.assertEqual([each.publication for each in self.catalogue.current()], [1, 3])

    def test_intervals(self) -> None:
        """An id has an interval from the publication in which it appears to the last one before it disappears."""
        self.publish(1, "CVE-1/DSA-1", "CVE-2")
        self.publish(2, "CVE-1/DSA-2")
        self.publish(3, "CVE-1/DSA-2", "CVE-2")
        self.assertEqual(self.spans("CVE-1"), [(1, 3, True)])
        self.assertEqual(self.spans("CVE-2"), [(1, 1, False), (3, 3, True)])
        self.assertEqual((self.spans("DSA-1"), self.spans("DSA-2")), ([(1, 1, False)], [(2, 3, True)]))
        self.assertEqual(self.spans("CVE-3"), [])

    def test_times(self) -> None:
        """The times of a publication are those at which it became current, and at which it was replaced."""
        self.publish(10, "CVE-1", "CVE-2")
        self.publish(20, "CVE-1")
        (gone,) = self.store.find("CVE-2")["debian-12"]
        self.assertEqual((gone.first.published, gone.last.published, gone.last.ended), (10, 10, 20))
        (there,) = self.store.find("CVE-1")["debian-12"]
        self.assertEqual((there.first.published, there.last.published, there.last.ended), (10, 20, None))

    def test_platforms(self) -> None:
        """An id is told for each platform that has, or had, it."""
        self.publish(1, "CVE-1")
        self.publish(2, "CVE-1", platform="alpine-3.20")
        self.publish(3, "CVE-2", platform="rocky-9")
        self.assertEqual(sorted(self.store.find("CVE-1")), ["alpine-3.20", "debian-12"])

    def test_case(self) -> None:
        """Ids are found as they are written; the list of followed packages is no id."""
        self.publish(1, FOLLOWED, "cve-1", "x" * 5000, "a\x00b")
        self.assertEqual(self.spans("cve-1"), [(1, 1, True)])
        self.assertEqual((self.spans("CVE-1"), self.spans(FOLLOWED)), ([], []))
        self.assertEqual((self.spans("x" * 5000), self.spans("a\x00b")), ([(1, 1, True)], [(1, 1, True)]))
        self.assertEqual(self.spans("x" * 4999), [])

    def test_platforms_with(self) -> None:
        """The platforms are found whose current list has one of many ids, as a name or as an alias."""
        self.publish(1, "CVE-1/DSA-1", "CVE-2")
        self.publish(1, "CVE-2", platform="alpine-3.20")
        self.publish(2, "CVE-2/CVE-3")
        many = {f"CVE-{number}" for number in range(5000, 7000)}
        expected = {"CVE-1": set(), "CVE-2": {"debian-12", "alpine-3.20"}, "CVE-3": {"debian-12"}, "DSA-1": set()}
        for name, platforms in expected.items():
            self.assertEqual((name, self.catalogue.platforms_with({name, *many})), (name, platforms))
        self.catalogue.withdraw("alpine-3.20", 3)
        self.assertEqual(self.catalogue.platforms_with({"CVE-2"}), {"debian-12"})
        self.assertEqual(self.catalogue.platforms_with(set()), set())

    def test_held_back(self) -> None:
        """A list that is held back is no publication, until somebody accepts it."""
        self.publish(1, "CVE-1", "CVE-2")
        held = self.publish(2, "CVE-1", objection=lambda current, count: "it is short")
        self.assertEqual((held.publication, self.spans("CVE-2")), (None, [(1, 1, True)]))
        accepted = self.catalogue.accept("debian-12", 3)
        assert accepted is not None
        self.assertEqual((accepted.publication, self.spans("CVE-2")), (2, [(1, 1, False)]))

    def test_withdrawn(self) -> None:
        """When a list is withdrawn, no id is current; a list that follows has the next number, and new intervals."""
        self.publish(1, "CVE-1")
        self.publish(2, "CVE-1", "CVE-2")
        self.catalogue.withdraw("debian-12", 3)
        self.assertEqual(self.spans("CVE-1"), [(1, 2, False)])
        self.assertEqual(self.store.find("CVE-2")["debian-12"][0].last.ended, 3)
        self.catalogue.withdraw("debian-12", 4)
        self.assertEqual(self.publish(5, "CVE-1", "CVE-2").publication, 3)
        self.assertEqual(self.spans("CVE-1"), [(1, 2, False), (3, 3, True)])

    def test_adopted(self) -> None:
        """A list of a bundle is a publication like any other; one that is current already is none."""
        first = self.publish(1, "CVE-1")
        chunks = [self.catalogue.chunk(first.revision, 0)]
        self.publish(2, "CVE-2")
        adopted = self.catalogue.adopt([(first, chunks)], 3, even_older=True)
        self.assertEqual([each.publication for each in adopted], [3])
        self.assertEqual((self.spans("CVE-1"), self.spans("CVE-2")), ([(1, 1, False), (3, 3, True)], [(2, 2, False)]))
        self.assertEqual(self.catalogue.adopt([(first, chunks)], 4)[0].publication, 3)

    def test_pruned_chunks(self) -> None:
        """The intervals stay when the chunks of a replaced list are deleted."""
        self.publish(1, "CVE-1")
        self.publish(2, "CVE-2")
        self.assertEqual(self.catalogue.prune(set(), MinimumAge(100.0)), 1)
        self.assertEqual(self.spans("CVE-1"), [(1, 1, False)])

    def test_damaged(self) -> None:
        """A list with a damaged chunk does not become current."""
        self.publish(1, "CVE-1", "CVE-2")
        held = self.publish(2, "CVE-1", objection=lambda current, count: "it is short")
        with self.engine.begin() as connection:
            connection.execute(update(CHUNKS).where(CHUNKS.c.revision == held.revision).values(encoded=b"torn"))
        with self.assertRaisesRegex(CatalogueError, f"^chunk 0 of {held.revision} is damaged: "):
            self.catalogue.accept("debian-12", 3)
        self.assertEqual((self.numbers(), self.spans("CVE-2")), ([1], [(1, 1, True)]))

    def test_failed(self) -> None:
        """A publication that fails leaves no trace, and the next one works."""
        self.publish(1, "CVE-1")

        def torn() -> object:
            yield encode_line(record("CVE-2"))
            raise RuntimeError

        with self.assertRaises(RuntimeError):
            self.catalogue.publish("debian-12", torn(), {}, 2)  # type: ignore[arg-type]
        self.publish(3, "CVE-2")
        self.assertEqual((self.spans("CVE-1"), self.spans("CVE-2")), ([(1, 1, False)], [(2, 2, True)]))


class KeepingTests(PublicationCase):
    """Intervals and publications are kept as long as they are needed."""

    def rows(self) -> int:
        """Return the number of stored intervals."""
        with self.engine.connect() as connection:
            return connection.execute(select(func.count()).select_from(INTERVALS)).scalar_one()

    def test_forgotten(self) -> None:
        """An interval is deleted 400 days after its id was withdrawn, at the next publication of the platform."""
        self.publish(0, "CVE-1", "CVE-2")
        self.publish(10, "CVE-1")
        self.publish(10 + KEPT_SECONDS, "CVE-1", "CVE-3")
        self.assertEqual(self.spans("CVE-2"), [(1, 1, False)])
        self.publish(11 + KEPT_SECONDS, "CVE-1")
        self.assertEqual(self.spans("CVE-2"), [])
        self.assertEqual((self.spans("CVE-1"), self.spans("CVE-3")), ([(1, 4, True)], [(3, 3, False)]))
        self.assertEqual(self.store.find("CVE-1")["debian-12"][0].first.published, 0)

    def test_publications(self) -> None:
        """Of old publications, those are kept in which an interval begins that is kept."""
        self.publish(0, "CVE-1")
        for number in range(1, 6):
            self.publish(number, "CVE-1", f"CVE-2{number}")
        self.publish(10 + KEPT_SECONDS, "CVE-1", "CVE-3")
        self.assertEqual(self.numbers(), [1, 6, 7])
        self.assertEqual(self.rows(), 3)

    def test_withdrawn(self) -> None:
        """Intervals of a withdrawn platform are deleted too, but its numbers are never used again."""
        self.publish(0, "CVE-1")
        self.publish(1, "CVE-2")
        self.publish(1, "CVE-2", platform="alpine-3.20")
        self.catalogue.withdraw("debian-12", 5)
        self.store.maintain(5 + KEPT_SECONDS)
        self.assertEqual(self.spans("CVE-2"), [(2, 2, False)])
        self.store.maintain(6 + KEPT_SECONDS)
        self.assertEqual((self.spans("CVE-1"), self.spans("CVE-2"), self.numbers()), ([], [], [2]))
        self.assertEqual(self.spans("CVE-2", "alpine-3.20"), [(1, 1, True)])
        self.assertEqual(self.publish(7 + KEPT_SECONDS, "CVE-1").publication, 3)


#: What happens to a platform, in succession: the ids of a list that is published, or its withdrawal.
EVENTS = st.lists(st.none() | st.sets(st.sampled_from("abcdef"), min_size=1).map(frozenset), max_size=12)


class AnySequenceTests(PublicationCase):
    """Any sequence of publications."""

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(st.tuples(st.sampled_from(("debian-12", "wolfi")), EVENTS), max_size=3))
    def test_intervals(self, sequences: list[tuple[str, list[frozenset[str] | None]]]) -> None:
        """The intervals of an id have exactly the publications whose list had it."""
        self.setUp()
        had: dict[str, list[frozenset[str]]] = {"debian-12": [], "wolfi": []}
        current: dict[str, frozenset[str] | None] = {"debian-12": None, "wolfi": None}
        for now, (platform, ids) in enumerate((platform, ids) for platform, events in sequences for ids in events):
            if ids is None:
                self.catalogue.withdraw(platform, now)
            else:
                self.publish(now, *sorted(ids), platform=platform)
                if ids != current[platform]:
                    had[platform].append(ids)
            current[platform] = ids
        for platform, publications in had.items():
            for each in "abcdef":
                spans = self.spans(each, platform)
                told = [number for first, last, _ in spans for number in range(first, last + 1)]
                self.assertEqual(told, [number for number, ids in enumerate(publications, 1) if each in ids])
                self.assertEqual(any(is_current for *_, is_current in spans), each in (current[platform] or ()))


class PublicationOnPostgreSQLTests(OnPostgreSQL, PublicationTests):
    """The same on PostgreSQL."""


class KeepingOnPostgreSQLTests(OnPostgreSQL, KeepingTests):
    """The same on PostgreSQL."""
